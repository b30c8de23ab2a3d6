"""Signs of life of the sources that post here: to have no contacts and to be silent are two things.

Whatever a source signed counts, also what tells of no contact. Told at most every half minute, and not at all
while a source is silent: nobody can say for it that it has told everything.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from gateway.problems import Problem
from schemas.events import Event, SourceHeartbeat

EVERY_S = 30.0
Write = Callable[[str, Sequence[Event]], Awaitable[None]]


class Heartbeats:
    """When each source was last heard, and what of it was told."""

    def __init__(self) -> None:
        self._heard_ms: dict[str, int] = {}
        self._told_ms: dict[str, int] = {}

    def heard(self, source: str) -> None:
        """A source has signed a request."""
        self._heard_ms[source] = time.time_ns() // 1_000_000

    def due(self) -> list[SourceHeartbeat]:
        """What is to be told: of each source that was heard since, its last time."""
        beats = [
            SourceHeartbeat(event_id=f"gateway-{at}", source=source, occurred_at=at)
            for source, at in self._heard_ms.items()
            if at > self._told_ms.get(source, 0)
        ]
        self._told_ms |= {beat.source: beat.occurred_at for beat in beats}
        return beats

    async def tell(self, write: Write, every_s: float = EVERY_S) -> None:
        """Tell for ever. One that cannot be written is not tried again: the next says more."""
        while True:
            await asyncio.sleep(every_s)
            for beat in self.due():
                try:
                    await write(beat.source, [beat])
                except Problem:
                    break
