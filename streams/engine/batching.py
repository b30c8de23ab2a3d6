"""Batches as ordinary Faust events.

A scheduler hands an agent one event per fetched batch of one partition instead of one per record: agents
stay plain `@app.agent`s at many times the speed. Two overrides of commit bookkeeping go with it, because the
offsets inside a batch are no gaps. The private names of Faust that this touches are listed and pinned in
tests/support/private_names.py.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from faust import Schema
from faust.assignor.partition_assignor import PartitionAssignor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as KafkaConsumer
from faust.transport.drivers.aiokafka import Transport as KafkaTransport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from schemas.topics import WORKER_TOPICS
from streams.config import FETCH_MIN_BYTES, FETCH_WAIT_MS
from streams.engine.batch_order import BatchOrder

# Looks without anything coming, while the worker is busy, until something must have got lost.
LOOKS_WHILE_BUSY = 10
BATCHED_TOPICS = frozenset(WORKER_TOPICS)


@dataclass(slots=True)
class FetchedBatch:
    """Looks like one Kafka record to Faust; its value is the list of fetched records of one partition."""

    topic: str
    partition: int
    offset: int  # of the last record, so that acknowledging the event acknowledges them all
    timestamp: int
    value: list[Any]
    timestamp_type: int = 0
    headers: tuple[()] = ()
    key: None = None
    checksum: None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0


class BatchScheduler(DefaultSchedulingStrategy):  # type: ignore[misc]  # faust is untyped to us
    """One event per partition and fetch for batched topics; changelogs and others as Faust does it."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """Yield (partition, record or batch)."""
        for tp, fetched in records.items():
            if tp.topic in BATCHED_TOPICS and fetched:
                last = fetched[-1]
                yield tp, FetchedBatch(tp.topic, tp.partition, last.offset, last.timestamp, fetched)
        rest = {tp: fetched for tp, fetched in records.items() if tp.topic not in BATCHED_TOPICS}
        yield from super().iterate(rest)


class BatchSchema(Schema):  # type: ignore[misc]
    """Gives the agent the list of fetched records as it is: decoding is the agent's business."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> Any:
        """A batch has no key."""
        return message.key

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        """The list of records."""
        return message.value


class ReadOffsets(defaultdict[TP, int | None]):
    """What Faust has read of each partition; nothing for batched topics, whose order BatchOrder keeps.

    Faust drops a record whose offset is below this, without a word. It sets it after a record was handed on,
    and so overwrites what a seek had set meanwhile: a batch fetched again, and shorter, would be lost.
    """

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def __getitem__(self, tp: TP) -> int | None:
        return None if tp.topic in BATCHED_TOPICS else super().__getitem__(tp)


class ConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's thread with the Kafka client in it."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        made = super()._create_worker_consumer(transport)
        # Faust has no settings for these; all are read when the client starts.
        made._fetch_max_wait_ms = FETCH_WAIT_MS
        made._fetch_min_bytes = FETCH_MIN_BYTES
        made._isolation_level = "read_committed"  # what a transaction took back was never sent
        return made


class BatchConsumer(KafkaConsumer):  # type: ignore[misc]
    """Commit bookkeeping for batches, whose offsets come in order (concurrency 1) and jump."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = BatchOrder()
        self.go_on: dict[TP, int] = {}  # where state says that reading goes on, before what is committed
        self._read_offset = ReadOffsets()
        self._seen: dict[TP, tuple[int | None, int]] = {}  # what was expected, and for how many looks

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """A rebalance: where each partition goes on will be known by perform_seek."""
        for tp in list(self.order.expected):
            self.order.forget(tp)
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Seek to where every partition's sequence then goes on: the committed offsets, or before them.

        Further back is committed at once, so that whoever waits for the group waits for this as well.
        """
        await super().perform_seek()
        back = {tp: at for tp, at in self.go_on.items() if at < (self._committed_offset[tp] or 0)}
        back = {tp: at for tp, at in back.items() if tp in self.assignment()}
        for tp, offset in back.items():
            await self.seek(tp, offset)
            self._committed_offset[tp] = offset
        if back:
            await self._commit(back)
        self.go_on = {}
        for tp in self.assignment():
            if tp.topic in BATCHED_TOPICS:
                committed = self._committed_offset[tp] or 0
                if self.order.restart(tp, committed):
                    await self.seek(tp, committed)

    async def wait_empty(self) -> None:
        """Wait until what was fetched is acknowledged; of a worker that failed, until batches have ended.

        The batch that failed and those behind it never are: the worker would be ended by force, after 25 s.
        """
        ending = self.app.ending
        if not ending.health.failed:
            await super().wait_empty()
            if self.app.should_stop:
                await ending.begun_has_ended()  # what recovery finishes reads tables, which are closed next
            return
        await ending.begun_has_ended()
        await self.commit_and_end_transactions()

    async def in_sequence(self, tp: TP, first: int, last: int) -> bool:
        """Is this batch the next of its partition? If one before it got lost inside Faust, seek back to it.

        Faust resumes fetching before it seeks to the committed offset, and drops what it fetched while its
        flow was stopped: seen on Kafka after a worker was killed, a batch came before its predecessor.
        """
        verdict = self.order.judge(tp, first, last)
        if verdict.seek_to is not None:
            await self.seek(tp, verdict.seek_to)
        return verdict.apply

    def release(self, message: Any) -> None:
        """Nothing of this batch is begun: Faust, when partitions move or the worker stops, is not to wait."""
        self._unacked_messages.discard(message)

    def hold(self, message: Any) -> None:
        """It is about to be applied: Faust is to wait until it is acknowledged."""
        self._unacked_messages.add(message)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in BATCHED_TOPICS:
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in BATCHED_TOPICS:
            return super()._new_offset(tp)  # type: ignore[no-any-return]
        acked = self._acked[tp]
        if not acked:
            return None
        following = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return int(following)

    async def nudge(self, busy: bool = False) -> None:
        """Seek back where fetching is ahead of what has come, and nothing has come for some looks.

        Whatever got lost inside Faust with no batch behind it to show the gap is fetched again. While a batch
        is in progress (`busy`) or batches of another partition of the topic come, this one's may only be
        waiting behind them, so it is given more time.
        """
        known: list[tuple[TP, int]] = list(self.order.expected.items())
        moving = {tp.topic for tp, expected in known if self._seen.get(tp, (None, 0))[0] != expected}
        for tp, expected in known:
            before, looks = self._seen.get(tp, (None, 0))
            looks = looks + 1 if before == expected else 0
            patience = LOOKS_WHILE_BUSY if busy or tp.topic in moving else 1
            if self.flow_active and looks >= patience and tp in self.assignment():
                position = await self.position(tp)
                if position is not None and position > expected:
                    await self.seek(tp, expected)
                looks = 0
            self._seen[tp] = expected, looks


class KnownTopics:
    """Cluster metadata that knows our topics even while a restarted broker has not told of them again."""

    def __init__(self, cluster: Any, partitions: int) -> None:
        self._cluster = cluster
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int]:
        """Partition numbers of a topic; ours all have the same, which was checked at the start."""
        return self._cluster.partitions_for_topic(topic) or set(range(self._partitions))


class Assignor(PartitionAssignor):  # type: ignore[misc]
    """Faust's assignor, which would leave out a topic it has no metadata of and then wait for ever."""

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """Partitions to members."""
        return super().assign(KnownTopics(cluster, self.app.conf.topic_partitions), member_metadata)


class Transport(KafkaTransport):  # type: ignore[misc]
    """Faust's Kafka transport with our consumer: broker URLs that begin with `batched://`."""

    Consumer = BatchConsumer
