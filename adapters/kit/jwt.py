"""Webhooks signed by a JSON Web Token, as Vonage does: HS256 alone, and the token names the body's hash."""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

TOKEN_MAX_CHARS = 4_000
SCHEME = "bearer "


def decoded(part: str) -> bytes:
    """A part of a token. Raises ValueError."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def written(data: bytes) -> bytes:
    """Bytes as a token's part."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def object_of(part: str) -> dict[str, Any]:
    """The JSON object in a part; an empty one where there is none."""
    try:
        found = orjson.loads(decoded(part))
    except (ValueError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def token_problem(header: str, body: bytes, secrets: Sequence[bytes], now: float, window_s: float) -> str:
    """Why a token is not believed, as a stable code; "" where one of the secrets made it for this body.

    What it says of itself is looked at after its signature, but for the algorithm: `none` and others are
    refused. The time is its `iat`, in seconds.
    """
    parts = header[len(SCHEME) :].strip().split(".") if header[: len(SCHEME)].lower() == SCHEME else []
    if len(parts) != 3 or len(header) > TOKEN_MAX_CHARS or not header.isascii():
        return "no_signature"
    head, claims, signature = parts
    if object_of(head).get("alg") != "HS256":
        return "wrong_signature"
    message, given = f"{head}.{claims}".encode(), signature.encode()
    # As it is written: more than one text stands for the same bytes.
    matches = [
        hmac.compare_digest(given, written(hmac.digest(secret, message, "sha256"))) for secret in secrets
    ]
    return claims_problem(object_of(claims), body, now, window_s) if any(matches) else "wrong_signature"


def claims_problem(claims: dict[str, Any], body: bytes, now: float, window_s: float) -> str:
    """What is wrong with what a signed token says."""
    made = claims.get("iat")
    if made is None:
        return "no_timestamp"
    if isinstance(made, bool) or not isinstance(made, int | float):
        return "bad_timestamp"
    if abs(now - made) > window_s:
        return "old_timestamp"
    of_body = str(claims.get("payload_hash", "")).lower().encode()
    return "" if hmac.compare_digest(of_body, sha256(body).hexdigest().encode()) else "wrong_signature"
