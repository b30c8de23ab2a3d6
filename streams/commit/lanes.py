"""Batches of different partitions overlap: while one waits for Kafka to acknowledge, another is computed.

Those of one partition come one after the other: what a batch reads is what the one before it has made safe.
So at most one batch of each partition is in progress, which bounds memory as well (ADR 0017).
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine


class Lanes:
    """A lock for each partition, and the batch that runs behind it."""

    def __init__(self) -> None:
        self.closed = False  # no batch may begin any more
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: dict[int, asyncio.Task[None]] = {}

    def of(self, partition: int) -> asyncio.Lock:
        """Held while a batch of the partition is in progress."""
        return self._locks[partition]

    @property
    def busy(self) -> bool:
        """Is any batch in progress, or about to begin?"""
        return any(lock.locked() for lock in self._locks.values()) or bool(self._begun())

    async def start(self, partition: int, batch: Coroutine[None, None, None]) -> None:
        """Start a batch, which must not raise, once the one before it of the same partition has ended."""
        before = self._running.get(partition)
        if before is not None:
            await asyncio.wait([before])
        self._running[partition] = asyncio.create_task(batch)

    async def empty(self) -> None:
        """Wait until nothing is in progress."""
        while self.busy:
            if begun := self._begun():
                await asyncio.wait(begun)
            for lock in [*self._locks.values()]:
                async with lock:
                    pass

    def _begun(self) -> list[asyncio.Task[None]]:
        return [task for task in self._running.values() if not task.done()]
