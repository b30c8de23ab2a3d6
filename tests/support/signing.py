"""Signing a webhook as its vendor does, by the row of the table that the gateway verifies with."""

import hashlib
import hmac
import json
import time

from adapters.kit.jwt import written
from adapters.kit.signatures import Scheme, Signed, expected


def token(body: bytes, secret: bytes) -> str:
    """A JSON Web Token that names the hash of a body."""
    head = written(json.dumps({"typ": "JWT", "alg": "HS256"}).encode())
    said = {"iat": int(time.time()), "payload_hash": hashlib.sha256(body).hexdigest()}
    claims = written(json.dumps(said).encode())
    signature = written(hmac.digest(secret, head + b"." + claims, "sha256"))
    return f"Bearer {(head + b'.' + claims + b'.' + signature).decode()}"


def kind_of(body: bytes) -> str:
    """The Content-Type of a body."""
    return "application/json" if body[:1] in (b"{", b"[") else "application/x-www-form-urlencoded"


def query_of(scheme: Scheme, body: bytes) -> str:
    """What a vendor adds to the address it posts to."""
    named = scheme.body_hash if kind_of(body) == "application/json" else ""
    return f"?{named}={hashlib.sha256(body).hexdigest()}" if named else ""


def signed_headers(scheme: Scheme, uri: str, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a webhook that is posted to an address now."""
    headers = {"content-type": kind_of(body)}
    if scheme.jwt:
        return headers | {scheme.header: token(body, secret)}
    if scheme.id_header:
        headers[scheme.id_header] = "msg_1"
    at = str(int(time.time() * (1000 if scheme.timestamp_unit == "ms" else 1)))
    if scheme.timestamp_header:
        headers[scheme.timestamp_header] = at
    if scheme.timestamp_part:
        headers[scheme.header] = f"{scheme.timestamp_part}{at}"
    made = expected(scheme, Signed(headers, body, "POST", uri), secret).decode()
    before = headers.get(scheme.header)
    headers[scheme.header] = scheme.prefix + made if before is None else f"{before},{scheme.prefix}{made}"
    return headers
