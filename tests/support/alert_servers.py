"""Receivers of alerts that speak their documented protocols, over sockets, and misbehave on request."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

Got = list[dict[str, Any]]


class Api(BaseHTTPRequestHandler):
    """PagerDuty, Opsgenie, a workflow of Teams, Slack: each refuses what its documentation says it does."""

    got: Got
    retry_after = "3"
    behaviour: list[str]  # taken from its front, one a request: a status, "slow", "drop", "redirect"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        trick = self.behaviour.pop(0) if self.behaviour else ""
        if trick == "drop":
            self.connection.close()
            return
        if trick == "slow":
            self.wfile.write(b"HTTP/1.1 202 Acc")
            time.sleep(0.8)
            return
        status = int(trick) if trick.isdigit() else 302 if trick == "redirect" else self.judge(body)
        self.got.append({"path": self.path, "headers": dict(self.headers), "body": body, "status": status})
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", self.retry_after)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def judge(self, raw: bytes) -> int:
        body = orjson.loads(raw)
        if self.path == "/v2/enqueue":
            return self.pagerduty(body)
        if self.path.startswith("/v2/alerts"):
            if self.headers["Authorization"] != "GenieKey opsgenie-key":
                return 403
            is_close = self.path.endswith("/close?identifierType=alias")
            return 202 if is_close or self.opsgenie(body) else 422
        if self.path == "/workflow":
            (card,) = body["attachments"]
            well = card["contentType"] == "application/vnd.microsoft.card.adaptive" and len(raw) <= 28_000
            return 202 if body["type"] == "message" and well and card["content"]["body"] else 400
        if self.path == "/slack":
            return 200 if 0 < len(body["text"]) <= 40_000 else 400
        return 200

    def opsgenie(self, body: dict[str, Any]) -> bool:
        lengths = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}
        well = bool(body["message"]) and all(len(body[name]) <= most for name, most in lengths.items())
        details = sum(len(name) + len(value) for name, value in body["details"].items())
        tags = len(body["tags"]) <= 20 and all(len(tag) <= 50 for tag in body["tags"])
        return well and details <= 8_000 and tags and body["priority"] in ("P1", "P2", "P3", "P4", "P5")

    def pagerduty(self, body: dict[str, Any]) -> int:
        well = len(body["routing_key"]) == 32 and 0 < len(body["dedup_key"]) <= 255
        if body["event_action"] == "trigger":
            payload = body["payload"]
            well = well and payload["severity"] in ("critical", "error", "warning", "info")
            well = well and 0 < len(payload["summary"]) <= 1024 and bool(payload["source"])
            well = (
                well
                and len(orjson.dumps(body)) <= 512_000
                and all(link["href"] for link in body.get("links", ()))
            )
        return 202 if well and body["event_action"] in ("trigger", "acknowledge", "resolve") else 400

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def api() -> Iterator[tuple[str, Got, list[str]]]:
    """Its address, what it got, and how it is to behave."""
    kind = type("Own", (Api,), {"got": [], "behaviour": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind.got, kind.behaviour  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class Smtp(socketserver.StreamRequestHandler):
    """RFC 5321 as far as a sender needs it. `answers` says what a command is answered instead of 250."""

    letters: list[str]
    answers: dict[str, str]

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word in self.answers:
                self.say(self.answers[word])
            elif word == "EHLO":
                self.say("250-here\r\n250 8BITMIME")
            elif word == "DATA":
                self.say("354 go on")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.letters.append(text[:-5].decode())
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 well")


@contextmanager
def smtp(**answers: str) -> Iterator[tuple[int, list[str]]]:
    """Its port and the letters it took."""
    kind = type("Own", (Smtp,), {"letters": [], "answers": answers})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1], kind.letters  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
