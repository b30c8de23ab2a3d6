"""What systems ask before they post: does this address belong to whoever gave it to us? No events.

A challenge says nothing of a customer and changes nothing, so the ones that come unsigned are answered
unsigned. What is sent back is bounded and plain text, for a stranger may have written it.
"""

import hmac
import re
from collections.abc import Sequence

import orjson
from aiohttp import web

from adapters.kit.source import Challenge
from gateway.problems import Problem

TOKEN = re.compile(r"[\x21-\x7e]{1,512}")
ZOOM_EVENT = "endpoint.url_validation"
BY_GET: tuple[Challenge, ...] = ("meta", "get")


def on_get(kind: Challenge, request: web.Request, secrets: Sequence[bytes]) -> web.Response:
    """The answer to GET and HEAD. Raises Problem."""
    if kind != "meta":
        return web.Response(text="ok\n")  # Intercom and Qualtrics look whether anybody answers
    given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(given, secret) for secret in secrets]
    challenge = request.query.get("hub.challenge", "")
    if request.query.get("hub.mode") != "subscribe" or not TOKEN.fullmatch(challenge):
        raise Problem(422, "no_challenge", "hub.mode=subscribe and hub.challenge are expected")
    if not any(matches):
        raise Problem(401, "wrong_token", "hub.verify_token is no secret of this source")
    return web.Response(text=challenge)


def before_signature(kind: Challenge, request: web.Request) -> web.Response | None:
    """The answer to a POST that is not signed yet; None where it is no challenge."""
    token = request.headers.get("Validation-Token")
    if kind != "ringcentral" or token is None:
        return None
    if not TOKEN.fullmatch(token):
        raise Problem(422, "no_challenge", "the header Validation-Token is none")
    return web.Response(headers={"Validation-Token": token})


def after_signature(kind: Challenge, body: bytes, secret: bytes) -> web.Response | None:
    """The answer to a POST that is signed; None where it is no challenge."""
    if kind != "zoom" or ZOOM_EVENT.encode() not in body[:500]:
        return None
    try:
        found = orjson.loads(body)
        token = found["payload"]["plainToken"] if found["event"] == ZOOM_EVENT else None
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return None
    made = hmac.digest(secret, token.encode(), "sha256").hex()
    answer = {"plainToken": token, "encryptedToken": made}
    return web.Response(body=orjson.dumps(answer), content_type="application/json")
