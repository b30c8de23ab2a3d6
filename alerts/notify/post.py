"""One HTTP POST to a receiver: no redirects, no private address unless allowed, limits on time and size."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from alerts.notify.addresses import addresses

TIMEOUT_S, DEADLINE_S = 10.0, 20.0
JSON = {"Content-Type": "application/json", "User-Agent": "ringback"}
AGAIN = frozenset((408, 425, 429))


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted where."""

    url: str
    body: bytes
    headers: dict[str, str]
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it went: delivered, worth trying again (perhaps not before `wait_s`), or refused for good."""

    outcome: str  # sent, again, refused
    error: str = ""
    wait_s: float = 0.0


def post(request: Request) -> Delivery:
    """Send it once, to the address that was looked at: a name cannot change its meaning in between."""
    parts = urlsplit(request.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Delivery("refused", "its URL is neither http nor https")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = addresses(parts.hostname, port, request.allow_private)[0]
    except PermissionError as error:
        return Delivery("refused", str(error))
    except (OSError, ValueError) as error:
        return Delivery("again", f"no address: {type(error).__name__}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc.rpartition("@")[2], **request.headers}
    connection = connection_to(parts.scheme, address, port, parts.hostname)
    try:
        connection.connect()
        with deadline(connection.sock) as late:
            connection.request("POST", target, body=request.body, headers=headers)
            answer = connection.getresponse()
        if late.is_set():  # what came until then may look like an answer
            return Delivery("again", "no whole answer in time")
    except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
        return Delivery("again", type(error).__name__)
    finally:
        connection.close()
    return judged(answer.status, answer.headers.get("Retry-After"))


def connection_to(scheme: str, address: str, port: int, host: str) -> HTTPConnection:
    """A connection to an address, with the certificate of the host."""
    if scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(
            address, port, timeout=TIMEOUT_S, ssl_context=context, server_hostname=host, assert_hostname=host
        )
    return HTTPConnection(address, port, timeout=TIMEOUT_S)


@contextmanager
def deadline(sock: socket.socket) -> Iterator[threading.Event]:
    """An answer that comes a byte at a time is cut off: the time-out of the socket begins anew with each."""

    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(DEADLINE_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def judged(status: int, retry_after: str | None) -> Delivery:
    """What an answer means."""
    if 200 <= status < 300:
        return Delivery("sent")
    if 300 <= status < 400:
        return Delivery(
            "refused", f"status {status}: redirects are not followed, write the address it leads to"
        )
    wait = seconds_of(retry_after or "")
    if status >= 500 or status in AGAIN:
        return Delivery("again", f"status {status}", min(wait, 3_600.0))
    return Delivery("refused", f"status {status}")


def seconds_of(retry_after: str) -> float:
    """How long to wait: a number of seconds, or the date until when (RFC 9110); 0 for what is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
