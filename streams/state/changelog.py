"""Changelogs read in bulk: what Faust does record by record, at a hundredth of its cost (ADR 0009).

Faust turns every changelog record into a message and an event on a queue. Here a consumer of our own reads
them, and thousands of records at a time go into what tables hold. When to recover, from where and up to where
is decided elsewhere (streams.engine.tables). The private names of aiokafka that this touches are pinned in
tests/support/private_names.py.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError

from streams.kafka.connecting import aiokafka_settings
from streams.kafka.patience import Notice, patiently
from streams.kafka.record import OffsetSpan
from streams.state.partition import Changes
from streams.state.table import StateStoreError

log = structlog.get_logger()
# Kafka's record batches (of at most 512 KiB, streams.kafka.writer) that are unpacked and applied before
# others get their turn on the event loop: some 50 ms.
BATCHES_AT_ONCE = 64
# Of one answer of a broker, still compressed.
FETCH_BYTES = 16 * 1024 * 1024
POLL_MS = 500
PROGRESS_EVERY_S = 3.0
DAMAGED = (
    "a changelog is damaged in Kafka's own files: {error}. Stop Kafka, remove the file .kafka_cleanshutdown "
    "from its data folder (of `ringback up`: kafka/data in RINGBACK_DATA_DIR) and start it again: it then "
    "looks through its logs and cuts off what is damaged, and the worker makes its state anew from the events"
)


def unpacked(records: PartitionRecords) -> Iterator[Changes]:
    """What aiokafka has fetched of a partition, one dictionary for each of Kafka's record batches.

    Does what PartitionRecords does itself, without an object for each record. Transactions are not looked at:
    nobody writes changelogs in any.
    """
    batches = records._records
    while batches.has_next():
        batch = batches.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"{records._tp}: wrong checksum behind {records.next_fetch_offset}")
        start, records.next_fetch_offset = records.next_fetch_offset, batch.next_offset
        if not batch.is_control_batch:
            yield {record.key: record.value for record in batch if record.offset >= start}


class UnpackedRecords(OrderedDict[TopicPartition, Any]):
    """What aiokafka has fetched and not handed on yet; it hands on dictionaries instead of records."""

    def __setitem__(self, tp: TopicPartition, fetched: Any) -> None:
        if isinstance(fetched, FetchResult):
            fetched._partition_records._records_iterator = unpacked(fetched._partition_records)
        super().__setitem__(tp, fetched)


class RecoveryProgress:
    """Tells now and then how far a long recovery is."""

    def __init__(self, spans: Iterable[OffsetSpan]) -> None:
        self.to_go = sum(end - start for start, end in spans)
        self._began = self._said = time.monotonic()
        self._size = self.to_go

    def advance(self, offsets: int) -> None:
        """So many offsets are behind us; those that compaction has emptied count as well."""
        self.to_go -= offsets
        now = time.monotonic()
        if now - self._said >= PROGRESS_EVERY_S:
            self._said = now
            self.say("recovering state", now)

    def end(self) -> None:
        """All is read."""
        if self._size:
            self.say("state read", time.monotonic())

    def say(self, event: str, now: float) -> None:
        """One line of the log."""
        done, seconds = self._size - self.to_go, round(now - self._began, 1)
        log.info(event, records=done, to_go=max(self.to_go, 0), seconds=seconds)


def passes(error: Exception) -> bool:
    """Will Kafka answer again after this?"""
    return error.retriable if isinstance(error, KafkaError) else isinstance(error, OSError)


class ChangelogReader:
    """Reads changelog partitions, outside of any group. `apply` gets values and the offset behind them."""

    def __init__(
        self,
        servers: str,
        apply: Callable[[TopicPartition, list[Changes], int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._servers = servers
        self._apply = apply
        self._stopped = stopped

    async def read(self, spans: Mapping[TopicPartition, OffsetSpan]) -> None:
        """Read all of it, or until `stopped` says so. A broker that is away is waited for.

        Raises StateStoreError where Kafka's files are damaged.
        """
        left = {tp: span for tp, span in spans.items() if span[0] < span[1]}
        progress = RecoveryProgress(left.values())
        notice = Notice("waiting for Kafka to recover state", "Kafka answers, state is being recovered")

        async def attempt() -> None:
            if not left or self._stopped():
                return
            consumer = self._consumer()
            try:
                await consumer.start()
                await self._drain(consumer, left, progress)
            except CorruptRecordException as error:
                raise StateStoreError(DAMAGED.format(error=error)) from error
            finally:
                with suppress(KafkaError):
                    await consumer.stop()

        await patiently(attempt, passes, notice)
        if not left:
            progress.end()

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **aiokafka_settings(self._servers),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES,
        )

    async def _drain(
        self, consumer: AIOKafkaConsumer, left: dict[TopicPartition, OffsetSpan], progress: RecoveryProgress
    ) -> None:
        """Read what is left; `left` says at any time what that is."""
        consumer._fetcher._records = UnpackedRecords()
        consumer.assign(list(left))
        for tp, (start, _) in left.items():
            consumer.seek(tp, start)
        while left:
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCHES_AT_ONCE)
            # By the consumer's position and not by records: the last ones may be compacted away, or be no
            # records at all (a transaction's marker), and recovery would wait for them for ever.
            for tp, (start, end) in list(left.items()):
                following = await consumer.position(tp)
                if self._stopped():
                    return
                if following == start:
                    continue
                self._apply(tp, fetched.get(tp, []), following)
                progress.advance(following - start)
                if following < end:
                    left[tp] = following, end
                else:
                    del left[tp]
                    consumer.pause(tp)
            await asyncio.sleep(0)  # getmany does not give way while it has records
