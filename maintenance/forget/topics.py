"""Kafka's topics: where a customer stands in them, and compacted ones rewritten.

Of a compacted topic every record that stands is written again with the pseudonym, under a new key where the
key names the customer, whose old one gets a tombstone. Of a log no single record can be deleted.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its module names them by assignment
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from maintenance.forget.renaming import Renaming
from maintenance.topic import ANSWER_S, Asked, bounds_of, consumer_of, messages_of
from schemas.brokers import librdkafka_settings
from schemas.time_units import DAY_MS
from schemas.topics import (
    CONTACT_EVENTS,
    CONTACT_FACTS,
    CONTACTS_CHANGELOG,
    CUSTOMER_CONTACTS,
    CUSTOMERS_CHANGELOG,
    DEAD_LETTERS,
    FCR_FACTS,
)
from streams.kafka.fenced_writer import FencedWriter

STATE = (CONTACTS_CHANGELOG, CUSTOMERS_CHANGELOG)
TOLD = (CUSTOMER_CONTACTS, CONTACT_FACTS, FCR_FACTS)
COMPACTED = (*STATE, *TOLD)
LOGS = (CONTACT_EVENTS, DEAD_LETTERS)
# No longer than this a record that a later one of its key has replaced stays in Kafka's files; a tombstone a
# day longer. FACTS are not compacted before seven days have gone (streams.kafka.topics).
COMPACTION_MS = {**dict.fromkeys(STATE, DAY_MS), **dict.fromkeys(TOLD, 8 * DAY_MS)}
TOMBSTONE_MS = DAY_MS
WRITTEN_AT_ONCE = 1_000
Place = tuple[int, int]  # partition, offset


@dataclass(slots=True)
class Found:
    """What of a topic names a customer: of a compacted one what stands, of a log all offsets."""

    standing: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    offsets: dict[int, list[int]] = field(default_factory=dict)
    ends: tuple[int, ...] = ()
    latest_ms: int = 0  # when the last of them was written

    @property
    def records(self) -> int:
        """How many."""
        kept = sum(map(len, self.standing.values()))
        return kept + sum(map(len, self.offsets.values()))


def look(
    servers: str,
    topic: str,
    named: Callable[[bytes | None, bytes | None], bool],
    on_record: Callable[[bytes], None] = lambda _: None,
) -> Found:
    """Read a topic to its end. Raises TopicUnreadable, KafkaException.

    `named` says of a key and a value whether it names somebody; `on_record` gets the values that do.
    """
    found, compacted = Found(), topic in COMPACTED
    with closing(consumer_of(servers)) as consumer:
        bounds = bounds_of(consumer, Asked((topic,)))
        numbers = consumer.list_topics(topic, ANSWER_S).topics[topic].partitions
        found.ends = tuple(bounds.get((topic, number), (0, 0))[1] for number in sorted(numbers))
        reached = {where: begin for where, (begin, _) in bounds.items()}
        for message in chain.from_iterable(messages_of(consumer, bounds, reached, topic)):
            key, value, number = message.key(), message.value(), message.partition()
            standing = found.standing.setdefault(number, {})
            if value is None or not named(key, value):
                standing.pop(key, None)
                continue
            found.latest_ms = max(found.latest_ms, message.timestamp()[1])
            on_record(value)
            if compacted:
                standing[key] = value
            else:
                found.offsets.setdefault(number, []).append(message.offset())
    return found


def writes(
    topic: str, standing: Mapping[bytes, bytes], renaming: Renaming
) -> Iterator[tuple[bytes, bytes | None]]:
    """What is to be written to a partition."""
    for key, value in standing.items():
        yield from renaming.records(topic, key, value)


async def rewrite(servers: str, found: Mapping[str, Found], renaming: Renaming, partitions: int) -> None:
    """Write what stands again under the pseudonym; all acknowledged on return. Raises Fenced, KafkaError.

    Changelogs are taken over as by a worker: one that hangs can write to them no more.
    """
    writer = FencedWriter(servers)
    try:
        await writer.take(set(range(partitions)))
        for topic, one in found.items():
            for number, standing in one.standing.items():
                records = [*writes(topic, standing, renaming)]
                for begin in range(0, len(records), WRITTEN_AT_ONCE):
                    await writer.write(topic, number, records[begin : begin + WRITTEN_AT_ONCE])
        await writer.take(set())
    finally:
        await writer.stop()


def bound_compaction(servers: str, topics: Mapping[str, int] = COMPACTION_MS) -> None:
    """Have Kafka remove what was replaced within a known time, also where nothing is written any more."""
    admin = AdminClient(librdkafka_settings(servers) | {"log_level": 0})
    resources = []
    for topic, longest_ms in topics.items():
        values = {"max.compaction.lag.ms": longest_ms, "delete.retention.ms": TOMBSTONE_MS}
        entries = [
            ConfigEntry(name, str(value), incremental_operation=AlterConfigOpType.SET)
            for name, value in values.items()
        ]
        resources.append(ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries))
    for done in admin.incremental_alter_configs(resources, request_timeout=ANSWER_S).values():
        done.result()


def retention_ms(servers: str, topic: str) -> int:
    """How long Kafka keeps the records of a log; -1 for ever."""
    admin = AdminClient(librdkafka_settings(servers) | {"log_level": 0})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = admin.describe_configs([resource], request_timeout=ANSWER_S)[resource].result()
    return int(config["retention.ms"].value)


def members(servers: str, groups: tuple[str, ...]) -> dict[str, int]:
    """How many processes are at work in each group."""
    admin = AdminClient(librdkafka_settings(servers) | {"log_level": 0})
    asked = admin.describe_consumer_groups([*groups], request_timeout=ANSWER_S)
    return {group: len(found.result().members) for group, found in asked.items()}


async def idle(servers: str, groups: tuple[str, ...], limit_s: float) -> dict[str, int]:
    """Wait until nobody is at work in these groups; who still is after a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + limit_s
    while True:
        found = await asyncio.to_thread(members, servers, groups)
        at_work = {group: number for group, number in found.items() if number}
        if not at_work or loop.time() > until:
            return at_work
        await asyncio.sleep(1.0)
