"""Writes while more is fetched: one insert at a time, and what people look at before all else."""

import asyncio
import time
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError

from sinks.buffer import BATCH_ROWS, Batch, Buffer
from sinks.writer import ClickHouseSink
from streams.health.health import Health

log = structlog.get_logger()
IDLE_MS, BUSY_MS = 200, 20  # without records, and while something waits that should be written already


class Writing:
    """What goes from the buffer to ClickHouse, in a task beside the fetching.

    Offsets are committed when every row up to them is acknowledged: those that were taken early were written
    before, as there is one task at a time. A process that dies in between sends the same rows again.
    """

    def __init__(
        self, buffer: Buffer, consumer: AIOKafkaConsumer, sink: ClickHouseSink, health: Health
    ) -> None:
        self._buffer = buffer
        self._consumer = consumer
        self._sink = sink
        self._health = health
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error: an insert that was begun is waited for, as its thread cannot be stopped."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)  # the error before is the one to tell

    def patience_ms(self) -> int:
        """How long to wait for records: something that waits to be written must not."""
        due_s = self._buffer.seen_due_s()
        return IDLE_MS if due_s is None else min(max(round(due_s * 1000), BUSY_MS), IDLE_MS)

    async def what_is_due(self) -> None:
        """Begin to write what is large or old enough; with a whole batch in hand wait for what is under way.

        Raises SinkRefused, GivenUp.
        """
        if self._task is not None and (self._task.done() or len(self._buffer) >= BATCH_ROWS):
            await self._idle()
        if self._task is not None:
            return
        if self._buffer.due():
            self._task = asyncio.create_task(self._write(self._buffer.take()))
        elif self._buffer.seen_due():
            self._task = asyncio.create_task(self._write_seen())

    async def all(self) -> None:
        """Write everything. Raises SinkRefused, GivenUp; waits while ClickHouse is away."""
        await self._idle()
        await self._write(self._buffer.take())

    async def _idle(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await task

    async def _write_seen(self) -> None:
        await asyncio.to_thread(self._sink.insert, self._buffer.take_seen())

    async def _write(self, batch: Batch) -> None:
        """Write a batch, then commit; what people look at and came meanwhile need not wait for all of it."""
        if not batch.positions:
            return
        started = time.monotonic()
        for table, rows in batch.tables.items():
            await asyncio.to_thread(self._sink.insert, {table: rows})
            if self._buffer.seen_due():
                await self._write_seen()
        await self._commit(batch)
        written = sum(map(len, batch.tables.values()))
        log.debug("written", rows=written, ms=round((time.monotonic() - started) * 1000))

    async def _commit(self, batch: Batch) -> None:
        try:
            await self._consumer.commit(batch.positions)
        except (CommitFailedError, IllegalStateError) as error:
            # Our partitions moved while we wrote: their new owner writes the same rows again: no harm.
            log.warning("offsets not committed, rows will be sent again", error=type(error).__name__)
            return
        self._health.metrics.commits.inc()
        for tp, following in batch.positions.items():
            self._health.positions.done(tp.topic, tp.partition, following, batch.stamps[tp])
