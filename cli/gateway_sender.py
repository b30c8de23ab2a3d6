"""Events to a gateway over HTTP, in place of Kafka: what any program can do with one call."""

import asyncio
import ssl
from types import TracebackType
from typing import Self

import aiohttp

from adapters.kit.event_lines import event_line
from adapters.sending.producer import NotSent
from schemas.events import Event

BATCH = 500
WAIT_S = 0.5  # until fewer events than that are sent
PAUSE_S, TRIES = 1.0, 60
AGAIN = (408, 429, 503)
SAID_MAX = 300


class GatewaySender:
    """Sends events to `/v1/events` of a gateway, in batches. `async with` begins and ends it.

    What the gateway did not answer with 202 is sent again: events are counted by their ids. Raises NotSent.
    """

    def __init__(self, address: str, token: str | None) -> None:
        self._url = f"{address.rstrip('/')}/v1/events"
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token.splitlines()[0].strip()}"
        self._waiting: list[bytes] = []
        self._since = 0.0

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=30)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        self._since = asyncio.get_running_loop().time()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._session.close()

    async def send(self, event: Event) -> None:
        """Hand an event over; it goes with others, after half a second at the latest if more come."""
        self._waiting.append(event_line(event))
        now = asyncio.get_running_loop().time()
        if len(self._waiting) >= BATCH or now - self._since > WAIT_S:
            await self.flush()

    async def flush(self) -> None:
        """Return when the gateway has all of them."""
        if self._waiting:
            await self._post(b"".join(self._waiting))
        self._waiting = []
        self._since = asyncio.get_running_loop().time()

    async def _post(self, body: bytes) -> None:
        said = ""
        for _ in range(TRIES):
            try:
                async with self._session.post(self._url, data=body) as answer:
                    if answer.status == 202:
                        return
                    said = f"{answer.status}: {(await answer.text())[:SAID_MAX]}"
                    if answer.status not in AGAIN:
                        raise NotSent(f"the gateway at {self._url} refuses events with {said}")
            except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError) as error:
                said = str(error) or type(error).__name__
            await asyncio.sleep(PAUSE_S)
        raise NotSent(f"the gateway at {self._url} takes no events: {said}")
