"""The contact agent's work on one batch: fold, then write, then remember - in the order that loses nothing.

1. the contact changelog, behind the marker `begun`, is written and acknowledged: the events are safe;
2. then the outputs (facts and window totals, versioned by epoch and offset) and the dead letters;
3. then the window changelog, closed by the marker `done`;
4. then the batch is acknowledged to Faust, which may commit its offset.

Nothing is published before the state it comes from is safe, so no reader ever sees a number that a crash can
undo. A batch cut short between 1 and 3 is finished by streams.recovery: its events are in the state already
and would change nothing when they are delivered again.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog

from adapters.dead_letter import Rejection, dead_letter_record
from kpis.tally import Tally, Window
from streams.apply import BatchResult, Decode, Record, Refused, apply_batch
from streams.batching import put
from streams.config import StreamConfig
from streams.dead_letter_limit import DeadLetterLimit
from streams.documents import (
    facts_document,
    row_version,
    tally_bytes,
    tally_of,
    window_document,
    window_key,
)
from streams.marker import Done, begin, begun_bytes, done_bytes, marker_key, read_begun_epoch, read_done
from streams.topics import (
    CONTACT_EVENTS,
    CONTACT_FACTS,
    CONTACTS_CHANGELOG,
    DEAD_LETTERS,
    KPI_WINDOWS,
    WINDOWS_CHANGELOG,
)
from streams.writer import BatchWriter, KeyValue

log = structlog.get_logger()


class Processor:
    """Applies batches to the two tables. One at a time: `lock` is held while a batch is being written."""

    def __init__(
        self,
        config: StreamConfig,
        contacts: Any,
        windows: Any,
        writer: BatchWriter,
        decode: Decode,
        now_ms: Callable[[], int],
    ) -> None:
        self.config = config
        self.contacts = contacts
        self.windows = windows
        self.writer = writer
        self.decode = decode
        self.now_ms = now_ms
        self.lock = asyncio.Lock()
        self.closed = False
        self.limit = DeadLetterLimit(config.dead_letter_window, config.dead_letter_max_share)

    def state_of(self, contact_id: str) -> bytes | None:
        """Table value of a contact."""
        value: bytes | None = self.contacts.data.get(contact_id.encode())
        return value

    def total_of(self, partition: int) -> Callable[[Window], Tally | None]:
        """Look-up of a partition's window totals."""

        def look_up(window: Window) -> Tally | None:
            value = self.windows.data.get(window_key(window, partition))
            return None if value is None else tally_of(value)

        return look_up

    async def close(self) -> None:
        """Let the batch in progress end, begin no other, and close the writer."""
        async with self.lock:
            self.closed = True
            await self.writer.stop()

    async def process(self, partition: int, fetched: Sequence[Any]) -> BatchResult:
        """Apply one partition's fetched records; returns when everything they change is acknowledged."""
        records = [Record(record.offset, record.key, record.value) for record in fetched]
        async with self.lock:
            result = apply_batch(
                records, self.decode, self.state_of, self.total_of(partition), self.config.rules
            )
            example = f"{result.refused[-1].reason}: {result.refused[-1].detail}" if result.refused else ""
            self.limit.count(len(records), len(result.refused), example)
            await self.write(partition, records[-1].offset, result)
        log.debug("batch", partition=partition, records=len(records), applied=result.applied)
        return result

    async def write(self, partition: int, last_offset: int, result: BatchResult) -> None:
        """State, outputs and window totals of a batch, in this order."""
        if not result.contacts:
            await self.publish(partition, last_offset, result)
            return
        epoch, key = self.epoch_of(partition), marker_key(partition)
        begun = begin(epoch, last_offset, result.contacts)
        states = [(change.contact_id.encode(), change.state) for change in result.contacts]
        await self.store(CONTACTS_CHANGELOG, self.contacts, partition, [(key, begun_bytes(begun)), *states])
        await self.publish(partition, last_offset, result)
        totals = [(window_key(window, partition), tally_bytes(t)) for window, t in result.windows.items()]
        done = done_bytes(Done(begun.batch, max(last_offset, self.applied_of(partition))))
        await self.store(WINDOWS_CHANGELOG, self.windows, partition, [*totals, (key, done)])

    def epoch_of(self, partition: int) -> int:
        """Epoch of a partition's rows: of its last batch, or the configured one if that is greater."""
        begun = read_begun_epoch(self.contacts.data.get(marker_key(partition)))
        return max(self.config.epoch, begun)

    def applied_of(self, partition: int) -> int:
        """Offset up to which every event of the partition is in the state; -1 before the first."""
        done = read_done(self.windows.data.get(marker_key(partition)))
        return done.applied if done else -1

    async def store(self, topic: str, table: Any, partition: int, items: list[tuple[bytes, bytes]]) -> None:
        """Write changelog records and, once they are acknowledged, set the same in the table."""
        await self.writer.write(topic, partition, items)
        for key, value in items:
            put(table, partition, key, value)

    async def publish(self, partition: int, offset: int, result: BatchResult) -> None:
        """Facts, window totals and dead letters, all acknowledged on return."""
        version = row_version(self.epoch_of(partition), offset)
        facts = [(c.contact_id.encode(), facts_document(c, version)) for c in result.contacts]
        windows = [
            (window_key(window, partition), window_document(window, partition, tally, version))
            for window, tally in result.windows.items()
        ]
        await asyncio.gather(
            self.writer.write(CONTACT_FACTS, partition, facts),
            self.writer.write(KPI_WINDOWS, partition, windows),
            self.writer.write(DEAD_LETTERS, 0, self.dead_letters(partition, result.refused)),
        )

    def dead_letters(self, partition: int, refused: Sequence[Refused]) -> Iterator[KeyValue]:
        """Records for the dead-letter topic."""
        origin = f"{CONTACT_EVENTS}[{partition}]"
        for item in refused:
            log.warning("dead letter", origin=origin, offset=item.offset, reason=item.reason)
            rejection = Rejection(origin, item.offset, item.reason, item.detail, item.payload)
            yield dead_letter_record(rejection, self.now_ms())
