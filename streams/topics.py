"""The Kafka topics: names, partitions, retention; created before anything else starts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

CONTACT_EVENTS = "contact-events"
AGENT_EVENTS = "agent-events"
SOURCE_HEARTBEATS = "source-heartbeats"
DEAD_LETTERS = "dead-letters"
CONTACT_FACTS = "contact-facts"
KPI_WINDOWS = "kpi-windows"
APP_ID = "ringback"
CONTACTS_TABLE = "contacts"
WINDOWS_TABLE = "windows"
CONTACTS_CHANGELOG = f"{APP_ID}-{CONTACTS_TABLE}-changelog"
WINDOWS_CHANGELOG = f"{APP_ID}-{WINDOWS_TABLE}-changelog"

FOREVER = {"retention.ms": "-1"}
# A contact's whole event set is one changelog record; 10 MB is some 100,000 events of one contact.
LATEST = {"cleanup.policy": "compact", "max.message.bytes": str(10 * 1024 * 1024)}
# Facts name the rows that are gone; compaction must not take that away before the sink has read it.
FACTS = LATEST | {"min.compaction.lag.ms": str(7 * 86_400_000)}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be. Topics that hold one key's state are compacted, event logs kept for ever."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def topic_specs(partitions: int) -> list[TopicSpec]:
    """All topics of Ringback. Those that follow contact-events share its partitions, one to one."""
    return [
        TopicSpec(CONTACT_EVENTS, partitions, FOREVER),
        TopicSpec(AGENT_EVENTS, partitions, FOREVER),
        TopicSpec(SOURCE_HEARTBEATS, 1, LATEST),
        TopicSpec(DEAD_LETTERS, 1, FOREVER),
        TopicSpec(CONTACT_FACTS, partitions, FACTS),
        TopicSpec(KPI_WINDOWS, partitions, LATEST),
        TopicSpec(CONTACTS_CHANGELOG, partitions, LATEST),
        TopicSpec(WINDOWS_CHANGELOG, partitions, LATEST),
    ]


class PartitionsChanged(RuntimeError):
    """A topic has another number of partitions than the rest: contacts would be split between them."""


def check_partitions(found: dict[str, int], specs: Sequence[TopicSpec]) -> None:
    """Topics keyed by contact have as many partitions as contact-events. Raises PartitionsChanged."""
    for spec in specs:
        if found.get(spec.name, spec.partitions) != spec.partitions:
            raise PartitionsChanged(
                f"topic {spec.name} has {found[spec.name]} partitions, expected {spec.partitions}: set "
                f"RINGBACK_PARTITIONS={found[spec.name]}, or replay into new topics with the new number"
            )


async def ensure_topics(bootstrap_servers: str, partitions: int, replication: int) -> None:
    """Create the topics that are missing; raises PartitionsChanged if an existing one does not fit."""
    specs = topic_specs(partitions)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
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
                await admin.create_topics(missing)
        described = await admin.describe_topics([spec.name for spec in specs])
        check_partitions({topic["topic"]: len(topic["partitions"]) for topic in described}, specs)
    finally:
        await admin.close()
