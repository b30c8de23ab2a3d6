"""Reading contact-events for what is in a wrong partition: to say so, and to bring it where it belongs."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.placement import librdkafka_partition_of, partition_of
from schemas.topics import CONTACT_EVENTS
from streams.kafka.connecting import aiokafka_settings, explained
from streams.kafka.writer import BatchWriter

FETCH_MS = 500
# Nothing came for so long: before the end there is nothing but markers of transactions.
QUIET_S = 3.0


@dataclass(frozen=True, slots=True)
class Stray:
    """A record in a wrong partition."""

    partition: int
    offset: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class Found:
    """What reading has found, among so many partitions, without what `ringback heal` has moved already."""

    partitions: int
    records: int = 0
    by_place: dict[tuple[bytes, int], list[Stray]] = field(default_factory=lambda: defaultdict(list))
    places: dict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))
    moved: list[tuple[int, int]] = field(default_factory=list)  # (partition, offset) of what was moved before

    @property
    def left(self) -> list[tuple[bytes, int]]:
        """Contacts, and the partitions where they are and should not be."""
        return list(self.by_place)

    def strays(self) -> list[Stray]:
        """Records to be moved, those of a contact in the order in which they came."""
        return [stray for strays in self.by_place.values() for stray in strays]

    @property
    def contacts(self) -> int:
        """How many contacts have records in a wrong partition."""
        return len({key for key, _ in self.by_place})

    @property
    def split(self) -> int:
        """How many contacts have records in several partitions, whichever would be right."""
        return sum(len(places) > 1 for places in self.places.values())

    @property
    def by_librdkafka(self) -> bool:
        """Are they all where librdkafka puts them, unless it is told otherwise?"""
        return all(librdkafka_partition_of(key, self.partitions) == place for key, place in self.by_place)


def take(found: Found, partition: int, offset: int, key: bytes | None, value: bytes | None) -> None:
    """Look at one record, in the order of its partition."""
    found.records += 1
    if not key:
        return
    if value is not None:
        found.places[key].add(partition)
    if partition_of(key, found.partitions) == partition:
        return
    if value is None:  # moved: what came before has been brought home
        moved = found.by_place.pop((key, partition), [])
        found.moved += [(stray.partition, stray.offset) for stray in moved]
        found.places[key].discard(partition)
        return
    found.by_place[key, partition].append(Stray(partition, offset, key, value))


async def look(bootstrap_servers: str, latest: int | None = None) -> Found:
    """Read contact-events to its end: all of it, or the latest so many records of each partition.

    Raises aiokafka's errors.
    """
    tps = await places(bootstrap_servers)
    found = Found(len(tps))
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(bootstrap_servers), enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        if tps:
            consumer.assign(tps)
            begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
            for tp in tps:
                consumer.seek(tp, begins[tp] if latest is None else max(begins[tp], ends[tp] - latest))
            await read(consumer, ends, found)
        return found
    finally:
        await consumer.stop()


async def places(bootstrap_servers: str) -> list[TopicPartition]:
    """The partitions of contact-events; none where there is no such topic yet."""
    admin = AIOKafkaAdminClient(**aiokafka_settings(bootstrap_servers))
    async with explained(bootstrap_servers):
        await admin.start()
    try:
        (topic,) = await admin.describe_topics([CONTACT_EVENTS])
    finally:
        await admin.close()
    return [TopicPartition(CONTACT_EVENTS, number) for number in range(len(topic["partitions"]))]


async def read(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int], found: Found) -> None:
    """Look at all records before these ends."""
    moved_at = time.monotonic()
    waiting = {tp for tp, end in ends.items() if await consumer.position(tp) < end}
    while waiting and time.monotonic() - moved_at < QUIET_S:
        for tp, records in (await consumer.getmany(*waiting, timeout_ms=FETCH_MS)).items():
            moved_at = time.monotonic()
            for record in records:
                if record.offset < ends[tp]:
                    take(found, tp.partition, record.offset, record.key, record.value)
        waiting = {tp for tp in waiting if await consumer.position(tp) < ends[tp]}


async def bring_home(
    bootstrap_servers: str, strays: Iterable[Stray], left: Iterable[tuple[bytes, int]], partitions: int
) -> None:
    """Write records where they belong and, once Kafka has them, that their contacts have left."""
    right: dict[int, list[tuple[bytes, bytes | None]]] = defaultdict(list)
    moved: dict[int, list[tuple[bytes, bytes | None]]] = defaultdict(list)
    for stray in strays:
        right[partition_of(stray.key, partitions)].append((stray.key, stray.value))
    for key, place in left:
        moved[place].append((key, None))
    writer = BatchWriter(bootstrap_servers)
    try:
        for written in (right, moved):
            await asyncio.gather(
                *(writer.write(CONTACT_EVENTS, number, records) for number, records in written.items())
            )
    finally:
        await writer.stop()
