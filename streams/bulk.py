"""Recovery of tables in bulk: what Faust does record by record, at a hundredth of its cost (ADR 0009).

Faust turns every changelog record into a message and an event on a queue. Here the changelogs are read by a
consumer of their own, and thousands of records at a time go into what tables hold (streams.store). When to
recover, from where, up to where and what follows stay Faust's decisions: it finds that nothing is left.

The private names of Faust and aiokafka that this touches are listed and pinned in
tests/support/private_names.py.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery, ServiceStopped
from faust.transport.drivers.aiokafka import server_list
from faust.types import TP

from streams.disk import StateStoreError
from streams.store import Held, Partition

log = structlog.get_logger()
# Kafka's record batches (of at most 512 KiB, streams.writer) that are unpacked and applied before others get
# their turn on the event loop: some 50 ms.
BATCHES_AT_ONCE = 64
# Of one answer of a broker, still compressed.
FETCH_BYTES = 16 * 1024 * 1024
POLL_MS = 500
PROGRESS_EVERY_S = 3.0
RETRY_S = 1.0

Values = dict[bytes, bytes | None]
Span = tuple[int, int]  # offset of the first record to read, and of the one behind the last


def unpacked(records: PartitionRecords) -> Iterator[Values]:
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


class UnpackedRecords(OrderedDict[TP, Any]):
    """What aiokafka has fetched and not handed on yet; it hands on dictionaries instead of records."""

    def __setitem__(self, tp: TP, fetched: Any) -> None:
        if isinstance(fetched, FetchResult):
            fetched._partition_records._records_iterator = unpacked(fetched._partition_records)
        super().__setitem__(tp, fetched)


class Progress:
    """Tells now and then how far a long recovery is."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.to_go = sum(end - start for start, end in spans)
        self._began = self._told = time.monotonic()
        self._size = self.to_go

    def advance(self, offsets: int) -> None:
        """So many offsets are behind us; those that compaction has emptied count as well."""
        self.to_go -= offsets
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            self.tell("recovering state", now)

    def end(self) -> None:
        """All is read."""
        if self._size:
            self.tell("state read", time.monotonic())

    def tell(self, event: str, now: float) -> None:
        """One line of the log."""
        done, seconds = self._size - self.to_go, round(now - self._began, 1)
        log.info(event, records=done, to_go=max(self.to_go, 0), seconds=seconds)


class ChangelogReader:
    """Reads changelog partitions, outside of any group. `apply` gets values and the offset behind them."""

    def __init__(
        self, servers: list[str], apply: Callable[[TP, list[Values], int], None], stopped: Callable[[], bool]
    ) -> None:
        self._servers = servers
        self._apply = apply
        self._stopped = stopped

    async def read(self, spans: Mapping[TP, Span]) -> None:
        """Read all of it, or until `stopped` says so. A broker that is away is waited for."""
        # aiokafka insists on its own type; the two are equal, being named tuples.
        left = {TopicPartition(*tp): span for tp, span in spans.items() if span[0] < span[1]}
        progress = Progress(left.values())
        told = False
        while left and not self._stopped():
            consumer = self._consumer()
            try:
                await consumer.start()
                await self._drain(consumer, left, progress)
            except (KafkaError, OSError) as error:
                if isinstance(error, KafkaError) and not error.retriable:
                    raise
                if not told:
                    log.warning("waiting for Kafka to recover state", error=str(error))
                    told = True
                await asyncio.sleep(RETRY_S)
            finally:
                with suppress(KafkaError):
                    await consumer.stop()
        if not left:
            progress.end()

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES,
        )

    async def _drain(self, consumer: AIOKafkaConsumer, left: dict[TP, Span], progress: Progress) -> None:
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


class BulkRecovery(Recovery):  # type: ignore[misc]  # faust is untyped to us
    """Faust's recovery, which finds that there is nothing to recover as all has just been read."""

    async def _wait(self, coro: Awaitable[Any], timeout: float | None = None) -> None:  # noqa: ASYNC109 - Faust's
        """Without limits of time: after one Faust would stop recovering, without a word and for ever."""
        await super()._wait(coro)

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        """How far to read. Once that is known nobody else may write there any more."""
        if title == "active" and self.tables.take_over is not None:
            await self.tables.take_over(tps)
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
        """The last step before Faust looks whether there is something to recover."""
        if title == "active":
            try:
                self.drop_what_has_no_changelog(tps, offsets)
                spans = {tp: (offsets[tp] + 1, self.active_highwaters[tp] + 1) for tp in tps}
                await self.read_changelogs(spans)
            except StateStoreError as error:
                self.app.ending.fail(error)
                raise ServiceStopped from error  # recovers no more
        await super()._seek_offsets(consumer, tps, offsets, title)

    def drop_what_has_no_changelog(self, tps: set[TP], offsets: Any) -> None:
        """Tables that are ahead of their changelog are copies of another one: it was deleted and made anew.

        Faust's own check (recovery_consistency_check, off in streams.app) would stop the worker every time.
        """
        for tp in tps:
            if offsets[tp] > self.active_highwaters[tp]:
                self.held_of(tp).drop()
                offsets[tp] = -1

    def held_of(self, tp: TP) -> Partition:
        """What the table of a changelog partition holds of it."""
        held: Held = self.tp_to_table[tp].data.held
        return held.of(tp.partition)

    async def read_changelogs(self, spans: Mapping[TP, Span]) -> None:
        """Read changelogs into their tables."""
        self._set_recovery_started()  # its other task takes recovery for ended until highwaters are known
        known = sum(start for tp, (start, _) in spans.items() if self.held_of(tp).following)
        if known:
            to_go = sum(end - start for start, end in spans.values())
            log.info("state on disk is used, the rest is read from Kafka", known=known, to_go=to_go)
        transport = self.app.transport
        servers = server_list(transport.url, transport.default_port)
        await ChangelogReader(servers, self.apply_fetched, self.signal_recovery_start.is_set).read(spans)

    def apply_fetched(self, tp: TP, fetched: list[Values], following: int) -> None:
        """Into the table, and the offset with it: after a rebalance Faust goes on from there.

        Nothing is awaited between the two, nor since it was seen that there is no rebalance: a partition that
        was taken away in between would keep an offset, and be read from there should it ever come back.
        """
        self.held_of(tp).recover(fetched, following)
        self.active_offsets[tp] = following - 1

    async def _verify_remaining(self, now: float, stats: Any) -> None:
        """Faust would warn that nothing comes by its own way."""


class BulkTables(TableManager):  # type: ignore[misc]
    """Faust's table manager with our recovery."""

    _recovery: BulkRecovery | None = None
    # Makes changelog partitions ours to write, before they are read (streams.fence).
    take_over: Callable[[set[TP]], Awaitable[None]] | None = None

    @property
    def recovery(self) -> BulkRecovery:
        """The recovery service, made when first asked for."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        """Partitions are assigned, and state on disk is opened; where it cannot be, the worker ends."""
        try:
            await super().on_rebalance(*args, **kwargs)
        except StateStoreError as error:
            self.app.ending.fail(error)  # and nothing is recovered
