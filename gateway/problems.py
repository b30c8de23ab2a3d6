"""What is said of a request that is not taken: a JSON problem document (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
import structlog
from aiohttp import web

log = structlog.get_logger()
PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 5
ERRORS_MAX = 20  # items of a request that are named one by one
TITLES = {
    400: "Bad request",
    401: "Not authorised",
    404: "Not found",
    405: "Method not allowed",
    408: "The body did not arrive in time",
    413: "Too large",
    415: "Media type not supported",
    422: "Not understood",
    429: "Too many requests",
    500: "A fault of the gateway",
    503: "Not available",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """A request that is refused. `code` is a stable short code for counting; `detail` quotes nothing sent."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s

    def response(self) -> web.Response:
        """The answer that says it."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Refused"),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = list(self.errors)
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return web.Response(
            body=orjson.dumps(document), status=self.status, headers=headers, content_type=PROBLEM_JSON
        )


def busy(code: str, detail: str) -> Problem:
    """Nothing was taken, and the same request may be sent again."""
    return Problem(503, code, detail, retry_after_s=RETRY_AFTER_S)


def of_http(error: web.HTTPException) -> web.Response:
    """What aiohttp refuses by itself, as a problem document."""
    response = Problem(error.status, f"http_{error.status}", error.reason).response()
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return response


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as a problem document; a fault of ours is logged and said without its details."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        return of_http(error)
    except Exception as error:
        log.error("a request failed", path=request.path[:100], kind=type(error).__name__, exc_info=True)
        return Problem(500, "fault", "the gateway failed; its log says more").response()
