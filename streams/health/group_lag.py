"""How far the stream and the sink are: lags, and waiting until what was sent is applied and stored."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from schemas.topics import PASSED_ON_TOPICS, RAW_TOPICS, SINK_GROUP, SINK_TOPICS, WORKER_GROUP
from streams.health.following import Following, without
from streams.kafka.connecting import aiokafka_settings, explained

POLL_S = 0.25
# Standing still for so long, a group may be at the end, with nothing before it but markers of transactions.
LOOK_AFTER_S = 1.0
Offsets = dict[tuple[str, int], int]  # (topic, partition) -> next offset


class StillWaiting(TimeoutError):
    """What was sent is in Kafka and safe, but was not applied and stored in the time given."""


@dataclass(frozen=True, slots=True)
class GroupLag:
    """Events between what is in Kafka and what a group has committed, by partition."""

    group: str
    topic: str
    partition: int
    committed: int
    end: int

    @property
    def events(self) -> int:
        """Events not yet done."""
        return max(self.end - self.committed, 0)


class OffsetReader:
    """Reads end offsets and committed offsets; `async with` connects. Raises aiokafka's errors, KafkaRefuses.

    The end of a partition is where its first open transaction begins, if there is one: nobody reads on.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers

    async def __aenter__(self) -> "OffsetReader":
        self._admin = AIOKafkaAdminClient(**aiokafka_settings(self._servers))
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(self._servers),
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        self._following = Following(self._consumer)
        try:
            async with explained(self._servers):
                await self._admin.start()
                await self._consumer.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def ends(self, names: tuple[str, ...]) -> Offsets:
        """Next offset to be written in each partition of these topics."""
        described = await self._admin.describe_topics(list(names))
        tps = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
        return await self.ends_of((tp.topic, tp.partition) for tp in tps)

    async def ends_of(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """Next offset to be written in these partitions."""
        found = await self._consumer.end_offsets([TopicPartition(*where) for where in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def begins_of(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """Offset of the first record that these partitions still have."""
        found = await self._consumer.beginning_offsets([TopicPartition(*where) for where in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def offsets_in(self, names: tuple[str, ...]) -> int:
        """How many offsets are in these topics: records, and markers of transactions."""
        ends = await self.ends(names)
        begins = await self.begins_of(ends)
        return int(sum(ends.values()) - sum(begins.values()))

    async def committed(self, group: str) -> Offsets:
        """Next offset that a group would read after a restart; what it never committed is missing."""
        try:
            return await self.known(group)
        except GroupCoordinatorNotAvailableError:  # a new broker, on which no group has committed yet
            return {}

    async def known(self, group: str) -> Offsets:
        """As `committed`, but raises GroupCoordinatorNotAvailableError: what is not known is not nothing."""
        found = await self._admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in found.items() if meta.offset >= 0}

    async def at_end(self, done: Mapping[tuple[str, int], int], ends: Offsets) -> set[tuple[str, int]]:
        """Partitions in which no record is between what is done and the end, although offsets are."""
        return await self._following.at_end(done, ends)

    async def lags(self, group: str, names: tuple[str, ...]) -> list[GroupLag]:
        """Lag of a group in each partition."""
        ends, done = await self.ends(names), await self.committed(group)
        ends = without(ends, done, await self.at_end(done, ends))
        return [
            GroupLag(group, topic, partition, done.get((topic, partition), 0), end)
            for (topic, partition), end in sorted(ends.items())
        ]


def reached(done: Mapping[tuple[str, int], int], wanted: Mapping[tuple[str, int], int]) -> bool:
    """Has a group committed up to these offsets?"""
    return all(done.get(where, 0) >= offset for where, offset in wanted.items())


async def wait_until_stored(
    bootstrap_servers: str,
    on_wait: Callable[[int], None],
    timeout_s: float | None = None,
) -> None:
    """Return when everything in Kafka at this moment is applied by the stream and stored by the sink.

    `on_wait` is told the number of events that are not yet applied. Raises StillWaiting after `timeout_s`
    without any progress.
    """
    async with OffsetReader(bootstrap_servers) as offsets:
        # What a stage wrote for the records it has committed is in Kafka by then, as it commits last.
        for group, names in (
            (WORKER_GROUP, RAW_TOPICS),
            (WORKER_GROUP, PASSED_ON_TOPICS),
            (SINK_GROUP, SINK_TOPICS),
        ):
            await wait_for(offsets, group, await offsets.ends(names), on_wait, timeout_s)


async def wait_for(
    offsets: OffsetReader,
    group: str,
    wanted: Offsets,
    on_wait: Callable[[int], None],
    timeout_s: float | None,
) -> None:
    """Wait until a group has committed these offsets. Raises StillWaiting when it stands still."""
    best, since = -1, time.monotonic()
    while True:
        done = await offsets.committed(group)
        if time.monotonic() - since > LOOK_AFTER_S:
            wanted = without(wanted, done, await offsets.at_end(done, wanted))
        if reached(done, wanted):
            return
        missing = sum(max(offset - done.get(where, 0), 0) for where, offset in wanted.items())
        if missing != best:
            best, since = missing, time.monotonic()
        if timeout_s is not None and time.monotonic() - since > timeout_s:
            raise StillWaiting(f"{missing:,} records are not done by {group}, none in {timeout_s:.0f} s")
        on_wait(missing)
        await asyncio.sleep(POLL_S)
