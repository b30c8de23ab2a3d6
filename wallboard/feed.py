"""What all viewers see: the last document of each kind, and a bell that rings when one changes."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson


def wall_ms() -> int:
    """This moment; ages are differences of it, so that a simulated clock does not matter."""
    return int(time.time() * 1000)


def frame(event: str, document: dict[str, Any]) -> bytes:
    """A server-sent event."""
    return b"event: " + event.encode() + b"\ndata: " + orjson.dumps(document) + b"\n\n"


@dataclass(slots=True)
class Feed:
    """The latest frames by kind. A viewer that is slow misses what is in between, and never the latest."""

    _frames: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    _version: int = 0
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _watched: asyncio.Event = field(default_factory=asyncio.Event)
    viewers: int = 0

    def publish(self, event: str, document: dict[str, Any]) -> None:
        """A new document of a kind, encoded once for everybody."""
        self._version += 1
        self._frames[event] = (self._version, frame(event, {"read_ms": wall_ms()} | document))
        self._ring()

    def withdraw(self, event: str) -> None:
        """What a kind said is no longer so."""
        self._frames.pop(event, None)

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    def join(self) -> None:
        """One viewer more."""
        self.viewers += 1
        self._watched.set()

    def leave(self) -> None:
        """One viewer less; without any nothing is read, and what was read is old by the time one comes."""
        self.viewers -= 1
        if not self.viewers:
            self._watched.clear()
            self._frames.clear()
            self._ring()

    async def watched(self) -> None:
        """Wait until somebody watches."""
        await self._watched.wait()

    async def forgotten(self, event: str, patience_s: float) -> None:
        """Wait until nothing of a kind is kept, as nobody watched; at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while event in self._frames:
                    await self._bell.wait()

    async def after(self, seen: int, patience_s: float) -> tuple[int, bytes]:
        """Frames since a version, once there are any; nothing when patience ends."""
        if self._version <= seen:
            bell = self._bell
            try:
                async with asyncio.timeout(patience_s):
                    await bell.wait()
            except TimeoutError:
                return seen, b""
        newer = sorted(one for one in self._frames.values() if one[0] > seen)
        return self._version, b"".join(text for _, text in newer)
