"""What is asked of every request before its body is looked at: its size, its time, its turn."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from gateway.limits import Limits
from gateway.problems import Problem, busy


class Turns:
    """How many requests are answered now, and how many a source has sent in this second."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.open = 0
        self._open_of: dict[str, int] = {}
        self._second = 0
        self._sent: dict[str, int] = {}

    @contextmanager
    def turn(self, source: str) -> Iterator[None]:
        """A request of a source is answered in this block. Raises Problem where there are too many."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._sent = second, {}
        if self._sent.get(source, 0) >= self._limits.rate_max:
            detail = f"more than {self._limits.rate_max:,} requests a second; send several events in one"
            raise Problem(429, "rate", detail, retry_after_s=1)
        if self.open >= self._limits.requests_max:
            raise busy("concurrency", f"{self.open:,} requests are being answered; send it again")
        if self._open_of.get(source, 0) >= self._limits.source_requests_max:
            detail = f"{self._open_of[source]:,} requests of this source are being answered; send it again"
            raise Problem(429, "concurrency", detail, retry_after_s=1)
        self._sent[source] = self._sent.get(source, 0) + 1
        self.open += 1
        self._open_of[source] = self._open_of.get(source, 0) + 1
        try:
            yield
        finally:
            self.open -= 1
            self._open_of[source] -= 1


async def body_of(request: web.Request, limits: Limits) -> bytes:
    """The raw bytes of a body. Raises Problem where it is packed, too large or too slow."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "content_encoding", "send the body as it is, without Content-Encoding")
    too_large = f"a body has at most {limits.body_max_bytes:,} bytes"
    if (request.content_length or 0) > limits.body_max_bytes:
        raise Problem(413, "too_large", too_large)
    try:
        if request.content.is_eof():  # it came with its headers, as most do
            return await request.read()
        async with asyncio.timeout(limits.body_limit_s):
            return await request.read()
    except TimeoutError:
        raise Problem(408, "too_slow", f"the body did not arrive within {limits.body_limit_s:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise Problem(413, "too_large", too_large) from None
