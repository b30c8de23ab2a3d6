"""A message in the form of each receiver, as a request."""

import base64
import hashlib
import hmac
from typing import Any

import orjson

from alerts.ledger import Outgoing
from alerts.notify.post import Request
from alerts.receivers import Alertmanager, Receiver, Slack, Webhook, url_of

JSON = {"Content-Type": "application/json", "User-Agent": "ringback"}


def request_of(receiver: Receiver, outgoing: Outgoing, now_s: int) -> Request:
    """What is posted. Raises KeyError and OSError where a secret is missing."""
    if isinstance(receiver, Webhook):
        return webhook(receiver, outgoing, now_s)
    if isinstance(receiver, Slack):
        return slack(receiver, outgoing)
    return alertmanager(receiver, outgoing)


def webhook(receiver: Webhook, outgoing: Outgoing, now_s: int) -> Request:
    """The message itself. `Idempotency-Key` and `webhook-id` are the same each time it is tried."""
    body = orjson.dumps(outgoing.body)
    headers = JSON | {
        "Idempotency-Key": outgoing.id,
        "webhook-id": outgoing.id,
        "webhook-timestamp": str(now_s),
    }
    if receiver.secret is not None:
        key = base64.b64decode(receiver.secret.read().removeprefix("whsec_"))
        signed = f"{outgoing.id}.{now_s}.".encode() + body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        headers |= {"webhook-signature": f"v1,{digest}"}
    return Request(url_of(receiver), body, headers, receiver.allow_private)


def title(body: dict[str, Any]) -> str:
    """A line for people."""
    summary = body["annotations"].get("summary") or f"{body['alert']}: {body['value']}, n={body['n']}"
    return f"[{str(body['status']).upper()}] {summary}"


def escaped(text: str) -> str:
    """Text that Slack takes for text: no mentions, no links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack(receiver: Slack, outgoing: Outgoing) -> Request:
    """A line, and what to do, for a channel."""
    body = outgoing.body
    lines = [escaped(title(body)), f"since {body['opened_at']}; `{escaped(str(body['explain']))}`"]
    return Request(url_of(receiver), orjson.dumps({"text": "\n".join(lines)}), JSON, receiver.allow_private)


def alertmanager(receiver: Alertmanager, outgoing: Outgoing) -> Request:
    """An alert of API version 2."""
    body: dict[str, Any] = outgoing.body
    alert = {
        "labels": {"alertname": body["alert"], **body["labels"]},
        "annotations": {**body["annotations"], "explain": body["explain"]},
        "startsAt": body["opened_at"],
    }
    if body["status"] != "firing":
        alert["endsAt"] = body["at"]
    url = receiver.url.rstrip("/") + "/api/v2/alerts"
    return Request(url, orjson.dumps([alert]), JSON, receiver.allow_private)
