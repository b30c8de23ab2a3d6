"""Where an event or a dead letter goes in Kafka: topic, key and value, without any connection."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.dead_letter import Rejection, dead_letter_record
from schemas.events import AgentStateChanged, Event, SourceHeartbeat

Encode = Callable[[Event], bytes]


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics that adapters write to."""

    contact_events: str = "contact-events"
    agent_events: str = "agent-events"
    source_heartbeats: str = "source-heartbeats"
    dead_letters: str = "dead-letters"


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record. All records of a contact have its id as key, so they share a partition."""

    topic: str
    key: bytes
    value: bytes


def event_record(event: Event, topics: Topics, encode: Encode) -> Record:
    """The record of an event: keyed by contact, by agent or by source."""
    if isinstance(event, AgentStateChanged):
        return Record(topics.agent_events, event.agent.encode(), encode(event))
    if isinstance(event, SourceHeartbeat):
        return Record(topics.source_heartbeats, event.source.encode(), encode(event))
    return Record(topics.contact_events, event.contact_id.encode(), encode(event))


def dead_letter(rejection: Rejection, topics: Topics, failed_at: int) -> Record:
    """The record of a refused line. `failed_at` is UTC ms."""
    return Record(topics.dead_letters, *dead_letter_record(rejection, failed_at))
