"""One HTTP POST to a receiver: no redirects, no private address unless allowed, limits on time and size."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

TIMEOUT_S = 10.0
ANSWER_MAX_BYTES = 10_000
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


def addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """Addresses of a host that may be asked. Raises OSError, PermissionError."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [each for each in found if allow_private or ipaddress.ip_address(each.split("%")[0]).is_global]
    if not allowed:
        raise PermissionError("its address is a private one; allow_private: true allows that")
    return allowed


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
    try:
        with pool(parts.scheme, address, port, parts.hostname) as connection:
            answer = connection.urlopen(
                "POST",
                target,
                body=request.body,
                headers={"Host": parts.netloc.rpartition("@")[2], **request.headers},
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=TIMEOUT_S,
            )
            answer.read(ANSWER_MAX_BYTES)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return Delivery("again", type(error).__name__)
    return judged(answer.status, answer.headers.get("Retry-After"))


def pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
    """A connection to an address, with the certificate of the host."""
    if scheme == "https":
        return urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host)
    return urllib3.HTTPConnectionPool(address, port)


def judged(status: int, retry_after: str | None) -> Delivery:
    """What an answer means."""
    if 200 <= status < 300:
        return Delivery("sent")
    wait = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    if status >= 500 or status in AGAIN:
        return Delivery("again", f"status {status}", min(wait, 3_600.0))
    return Delivery("refused", f"status {status}")
