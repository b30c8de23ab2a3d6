"""Who may look: by which names the service is called, and the token that is asked for off this machine."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import web
from aiohttp.typedefs import Middleware

from wallboard.pages import HEADERS

COOKIE = "ringback_wallboard"
COOKIE_S = 400 * 86_400  # a screen on a wall is set up once; browsers keep none for longer
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Doors:
    """Without tokens only this machine is served, and only by a name of its own."""

    tokens: tuple[bytes, ...] = ()

    def token(self, given: str) -> bytes | None:
        """The token that was given; a wrong one takes as long."""
        same = [token for token in self.tokens if hmac.compare_digest(as_sent(given), token)]
        return same[0] if same else None

    def passes(self, proof: str) -> bool:
        """Was the cookie made from one of the tokens?"""
        made = [cookie_of(token) for token in self.tokens]
        return sum(hmac.compare_digest(as_sent(proof), one.encode()) for one in made) > 0


def as_sent(text: str) -> bytes:
    """What came, whatever bytes these are."""
    return text.encode("utf-8", "surrogateescape")


def cookie_of(token: bytes) -> str:
    """What the browser keeps: not the token itself."""
    return hmac.new(token, b"ringback wallboard", sha256).hexdigest()


def own_name(host: str) -> bool:
    """A name of this machine. A page elsewhere could have had its own name pointed here."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in ("localhost", "127.0.0.1", "[::1]")


def entered(request: web.Request, doors: Doors) -> web.StreamResponse | None:
    """With the right token in the address: a cookie, and the same address without it."""
    token = doors.token(request.query.get("token", ""))
    if token is None:
        return None
    response = web.Response(status=303, headers={"Location": request.path})
    response.set_cookie(
        COOKIE, cookie_of(token), max_age=COOKIE_S, httponly=True, samesite="Strict",
        secure=request.secure, path="/",
    )  # fmt: skip
    return response


def guard(doors: Doors) -> Middleware:
    """Middleware: who may look, and headers on every answer."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = refusal(request, doors)
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(HEADERS)
                raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guarded


def refusal(request: web.Request, doors: Doors) -> web.StreamResponse | None:
    """Why a request is not served, or the way in; None when it is."""
    if request.path == "/health":
        return None
    if not doors.tokens:
        if own_name(request.host):
            return None
        return web.Response(status=421, text="call this wallboard by localhost or 127.0.0.1\n")
    if doors.passes(request.cookies.get(COOKIE, "")):
        return None
    return entered(request, doors) or web.Response(
        status=401, text="open this wallboard once with ?token=... at the end of the address\n"
    )
