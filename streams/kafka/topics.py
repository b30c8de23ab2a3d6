"""The Kafka topics: partitions and retention; created before anything else starts."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from schemas.time_units import DAY_MS, HOUR_MS
from schemas.topics import (
    AGENT_EVENTS,
    AGENT_QUARTERS,
    ALERT_LEDGER,
    CHANGELOGS,
    CONTACT_EVENTS,
    CONTACT_FACTS,
    DEAD_LETTERS,
    FCR_FACTS,
    FCR_WINDOWS,
    FORGOTTEN,
    KPI_WINDOWS,
    PASSED_ON_TOPICS,
    RULES_IN_USE,
    SOURCE_HEARTBEATS,
)
from streams.kafka.connecting import aiokafka_settings, explained, not_allowed, passes
from streams.kafka.patience import Notice, patiently

CREATION_LIMIT_S = 10.0
CREATION_POLL_S = 0.1
# Kafka dates records itself. A sender or worker whose clock is over an hour ahead would be refused for ever
# (InvalidTimestampError); when an event happened is inside it, and lag is by the clock of one machine.
DATED = {"message.timestamp.type": "LogAppendTime"}
FOREVER = DATED | {"retention.ms": "-1"}
# A contact's whole event set is one changelog record; 10 MB is some 100,000 events of one contact.
LATEST = DATED | {"cleanup.policy": "compact", "max.message.bytes": str(10 * 1024 * 1024)}
# Facts name the rows that are gone, and a record passed on may be beaten by an older one in its place;
# compaction must not take that away before it has been read.
FACTS = LATEST | {"min.compaction.lag.ms": str(7 * DAY_MS)}
# Recovery reads changelogs from end to end, and every batch writes its contacts anew. By default Kafka leaves
# the segment in use alone, for a week or 1 GiB, and compacts only when half is outdated. So: a new segment
# after an hour or 64 MiB, and compaction from a fifth on, which keeps a changelog near one record a key.
CHANGELOG = LATEST | {
    "segment.ms": str(HOUR_MS),
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.2",
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be. Topics that hold one key's state are compacted, event logs kept for ever."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def topic_specs(partitions: int) -> list[TopicSpec]:
    """All topics of Ringback. What the worker reads and keeps has as many partitions as contact-events."""
    return [
        TopicSpec(CONTACT_EVENTS, partitions, FOREVER),
        TopicSpec(AGENT_EVENTS, partitions, FOREVER),
        TopicSpec(SOURCE_HEARTBEATS, 1, LATEST),
        TopicSpec(RULES_IN_USE, 1, LATEST),
        TopicSpec(FORGOTTEN, 1, LATEST),
        TopicSpec(ALERT_LEDGER, 1, CHANGELOG),
        TopicSpec(DEAD_LETTERS, 1, FOREVER),
        *(TopicSpec(name, partitions, FACTS) for name in (*PASSED_ON_TOPICS, CONTACT_FACTS, FCR_FACTS)),
        *(TopicSpec(name, partitions, LATEST) for name in (KPI_WINDOWS, FCR_WINDOWS, AGENT_QUARTERS)),
        *(TopicSpec(name, partitions, CHANGELOG) for name in CHANGELOGS),
    ]


class PartitionsChanged(RuntimeError):
    """A topic has another number of partitions than the rest: contacts would be split between them."""


def check_partitions(found: dict[str, int], specs: Sequence[TopicSpec]) -> None:
    """Topics have the partitions that they must have. Raises PartitionsChanged."""
    for spec in specs:
        if found.get(spec.name, spec.partitions) != spec.partitions:
            raise PartitionsChanged(
                f"topic {spec.name} has {found[spec.name]} partitions, expected {spec.partitions}: set "
                f"RINGBACK_PARTITIONS={found[spec.name]}, or replay into new topics with the new number"
            )


async def partitions_of(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Number of partitions of each topic; one that is just being made has none yet, and is waited for.

    Raises UnknownTopicOrPartitionError when that takes too long.
    """
    deadline = time.monotonic() + CREATION_LIMIT_S
    while True:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}
        unknown = [name for name in names if not found.get(name)]
        if not unknown:
            return found
        if time.monotonic() > deadline:
            raise UnknownTopicOrPartitionError(f"not there {CREATION_LIMIT_S:g} s after creation: {unknown}")
        await asyncio.sleep(CREATION_POLL_S)


async def ensure_topics(bootstrap_servers: str, partitions: int, replication: int) -> str:
    """Create the topics that are missing; returns the id of the cluster.

    Raises PartitionsChanged if an existing topic does not fit, KafkaRefuses where only a person can help.
    """
    async with explained(bootstrap_servers):
        return await _ensured(bootstrap_servers, topic_specs(partitions), replication)


async def _ensured(bootstrap_servers: str, specs: Sequence[TopicSpec], replication: int) -> str:
    admin = AIOKafkaAdminClient(**aiokafka_settings(bootstrap_servers))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(spec.name, spec.partitions, replication, topic_configs=spec.config)
            for spec in specs
            if spec.name not in existing
        ]
        if missing:
            with suppress(TopicAlreadyExistsError):  # another worker was first, which is as good
                answer = await admin.create_topics(missing)
                require_made(bootstrap_servers, answer.topic_errors)
        check_partitions(await partitions_of(admin, [spec.name for spec in specs]), specs)
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def require_made(servers: str, errors: Sequence[tuple[Any, ...]]) -> None:
    """Topics could be made, as the broker says. Raises KafkaRefuses where we may not make them."""
    for name, code, *_ in errors:
        if code == TopicAuthorizationFailedError.errno:
            raise not_allowed(servers, TopicAuthorizationFailedError(f"topic {name} is to be made"))


async def wait_for_topics(bootstrap_servers: str, partitions: int, replication: int) -> str:
    """Create missing topics, waiting for the broker as long as it takes; returns the cluster's id.

    Raises PartitionsChanged, KafkaRefuses.
    """
    notice = Notice("waiting for Kafka", "Kafka answers", servers=bootstrap_servers)
    return await patiently(lambda: ensure_topics(bootstrap_servers, partitions, replication), passes, notice)
