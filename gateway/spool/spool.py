"""Events that Kafka does not take now, on disk until it does.

Group commit: what comes while the disk is busy is written and synced together, by one thread. A request is
answered when its records are synced. A second task gives them to Kafka, the oldest segment first, and deletes
what Kafka has; after a crash a segment is given again, which counts nothing twice.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from adapters.sending.records import OutgoingRecord
from gateway.kafka import Hopeless, NotAcknowledged
from gateway.spool.frames import frame
from gateway.spool.segments import Segments

log = structlog.get_logger()
BATCH = 500  # records that are given to Kafka at once
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
Write = Callable[[Sequence[OutgoingRecord]], Awaitable[None]]


class SpoolFull(OSError):
    """The spool has reached its largest size, or the disk has no room."""


@dataclass(slots=True)
class Waiting:
    """The frames of one request, and who waits for them."""

    data: bytes
    done: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop


class Spool:
    """A spool in a folder, with the thread that writes it; `close` ends that."""

    def __init__(self, segments: Segments, max_bytes: int) -> None:
        self._segments = segments
        self._max_bytes = max_bytes
        self._waiting: list[Waiting] = []
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._files = threading.Lock()  # the segments, of the thread that writes and the one that forwards
        self._closed = False
        self._more = asyncio.Event()
        self._thread = threading.Thread(target=self._commit, name="spool", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """Bytes that lie in it and wait for the disk."""
        return self._segments.size + self._waiting_bytes

    @property
    def is_full(self) -> bool:
        """Is its largest size reached?"""
        return self.size >= self._max_bytes

    async def append(self, records: Sequence[OutgoingRecord]) -> None:
        """Return when the disk has all of them. Raises SpoolFull, OSError: then it has none of them."""
        data = b"".join(map(frame, records))
        loop = asyncio.get_running_loop()
        waiting = Waiting(data, loop.create_future(), loop)
        with self._changed:
            if self.size + len(data) > self._max_bytes:
                raise SpoolFull(f"the spool holds {self.size:,} bytes, its largest size")
            self._waiting.append(waiting)
            self._waiting_bytes += len(data)
            self._changed.notify()
        await waiting.done
        self._more.set()

    def _commit(self) -> None:
        """The thread: all that waits, in one write and one sync."""
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                group, self._waiting = self._waiting, []
            error: Exception | None = None
            try:
                with self._files:
                    self._segments.append(b"".join(each.data for each in group))
            except OSError as failed:
                error = failed
            with self._changed:
                self._waiting_bytes -= sum(len(each.data) for each in group)
            for each in group:
                if not each.loop.is_closed():
                    each.loop.call_soon_threadsafe(settle, each.done, error)

    async def forward(self, write: Write, ready: asyncio.Event | None = None) -> None:
        """Give what lies here to Kafka, for ever."""
        if ready is not None:
            await ready.wait()
        failed = 0
        while True:
            self._more.clear()
            name = next(iter(self._segments.names()), None)
            if name is None:
                await self._more.wait()
                continue
            try:
                await self._forward_segment(name, write)
                failed = 0
            except (NotAcknowledged, OSError) as error:
                if not failed:
                    log.warning("the spool waits for Kafka", bytes=self.size, error=str(error))
                await asyncio.sleep(PAUSES_S[min(failed, len(PAUSES_S) - 1)])
                failed += 1

    async def _forward_segment(self, name: str, write: Write) -> None:
        """One segment to Kafka, then away with it. Raises NotAcknowledged, OSError."""
        records = await asyncio.to_thread(self._sealed, name)
        for begin in range(0, len(records), BATCH):
            batch = records[begin : begin + BATCH]
            try:
                await write(batch)
            except Hopeless:
                await self._one_by_one(batch, write)
        await asyncio.to_thread(self._delete, name)

    async def _one_by_one(self, batch: Sequence[OutgoingRecord], write: Write) -> None:
        """A batch that holds a record which Kafka will never take: that one is kept in a file beside."""
        for record in batch:
            try:
                await write([record])
            except Hopeless as error:
                await asyncio.to_thread(self._keep, record)
                log.error("Kafka will never take a spooled record; kept in refused.frames", error=str(error))

    def _keep(self, record: OutgoingRecord) -> None:
        with (self._segments.folder / "refused.frames").open("ab") as file:
            file.write(frame(record))

    def _sealed(self, name: str) -> list[OutgoingRecord]:
        with self._files:
            self._segments.seal(name)
            return [found.record for found in self._segments.read(name)]

    def _delete(self, name: str) -> None:
        with self._files:
            self._segments.delete(name)

    def close(self) -> None:
        """Write what waits, end the thread, let go of the folder."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._segments.close()


def settle(done: asyncio.Future[None], error: Exception | None) -> None:
    """Tell who waits."""
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
