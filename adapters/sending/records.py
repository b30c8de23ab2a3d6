"""Where an event or a dead letter goes in Kafka: topic, key and value, without any connection."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.dead_letter import DeadLetter, dead_letter_record
from schemas.events import AgentStateChanged, Event, SourceHeartbeat
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, DEAD_LETTERS, SOURCE_HEARTBEATS

Encode = Callable[[Event], bytes]


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A Kafka record to be sent. All records of a contact have its id as key, so they share a partition."""

    topic: str
    key: bytes
    value: bytes


def event_record(event: Event, encode: Encode) -> OutgoingRecord:
    """The record of an event: keyed by contact, by agent or by source."""
    if isinstance(event, AgentStateChanged):
        return OutgoingRecord(AGENT_EVENTS, event.agent.encode(), encode(event))
    if isinstance(event, SourceHeartbeat):
        return OutgoingRecord(SOURCE_HEARTBEATS, event.source.encode(), encode(event))
    return OutgoingRecord(CONTACT_EVENTS, event.contact_id.encode(), encode(event))


def dead_letter_of(refused: DeadLetter, failed_at: int) -> OutgoingRecord:
    """The record of a refused line. `failed_at` is UTC ms."""
    return OutgoingRecord(DEAD_LETTERS, *dead_letter_record(refused, failed_at))
