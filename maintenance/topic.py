"""Events in a Kafka topic: the whole of it, some offsets, or what was sent in some time.

What was written behind its end as it stood at the beginning is not read: a topic may be replayed into itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from adapters.sending.records import OutgoingRecord, event_record
from maintenance.history import Piece, Position, Span
from schemas.brokers import librdkafka_settings
from schemas.codec import DecodeError
from schemas.events import Event
from schemas.topics import (
    AGENT_EVENTS,
    ALERT_LEDGER,
    CHANGELOGS,
    CONTACT_EVENTS,
    DEAD_LETTERS,
    FORGOTTEN,
    PASSED_ON_TOPICS,
    SINK_RAW_TOPICS,
    SINK_TOPICS,
)
from streams.kafka.decoding import Wire
from streams.kafka.schema_lookup import SchemaLookup

PIECE = 10_000
ANSWER_S = 10.0
POLL_S = 0.1  # at the end of a topic, where there is less than a piece, all of it is waited for
SILENT_S = 30  # without a record, before Kafka counts as away
TOPICS = (CONTACT_EVENTS, AGENT_EVENTS)
# Of Ringback's own topics those that hold something else: what follows from events, and what is about them.
NO_EVENTS = {*SINK_TOPICS, *PASSED_ON_TOPICS, *CHANGELOGS, FORGOTTEN, ALERT_LEDGER} - {*SINK_RAW_TOPICS}
# Of a partition: offsets [begin, end).
Offsets = dict[tuple[str, int], tuple[int, int]]


def no_events_in(topic: str) -> str | None:
    """Why a topic of Ringback's is not read, and what to do instead; None: it may hold events."""
    if topic == DEAD_LETTERS:
        return f"{topic} holds what was refused: `ringback dead-letters replay` sends it again"
    if topic in NO_EVENTS:
        return f"{topic} holds no events: the worker makes it of those in {' and '.join(TOPICS)}; name these"
    return None


class TopicUnreadable(ConnectionError):
    """Kafka does not answer, or does not have what was asked for."""


class NothingSuch(TopicUnreadable):
    """There is no such topic or partition."""


@dataclass(frozen=True, slots=True)
class Part:
    """Offsets of one partition, [begin, end), as a person names them."""

    partition: int
    begin: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of topics is read. `sent` is by the time that records were sent at, in UTC ms."""

    topics: Sequence[str] = TOPICS
    parts: Sequence[Part] = ()
    sent: tuple[int, int] | None = None


@dataclass
class TopicHistory:
    """Events of topics. A position is where reading goes on in each partition, and where it ends."""

    servers: str
    wire: Wire
    asked: Asked = field(default_factory=Asked)
    span: Span = field(default_factory=Span)
    _bounds: Offsets = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What is read, for people."""
        return f"{' and '.join(self.asked.topics)} of Kafka at {self.servers}"

    @property
    def identity(self) -> tuple[str, ...]:
        """The same part of the same topics of the same cluster."""
        with closing(self._consumer()) as consumer:
            return ("topic", cluster_of(consumer), repr(self.asked), repr(self.span))

    def total(self) -> int | None:
        """Offsets to be read."""
        return sum(end - begin for begin, end in self.bounds().values())

    def bounds(self) -> Offsets:
        """What is to be read, settled at the first question. Raises TopicUnreadable."""
        if not self._bounds:
            with closing(self._consumer()) as consumer:
                try:
                    self._bounds = bounds_of(consumer, self.asked)
                except KafkaException as error:
                    raise TopicUnreadable(f"{self.name} cannot be read: {error.args[0].str()}") from None
        return self._bounds

    def pieces(self, position: Position | None) -> Iterator[Piece]:
        """Read on. Raises TopicUnreadable, RegistryUnreachable."""
        if position:
            self._bounds = {(t, p): (begin, end) for t, p, begin, end in position["bounds"]}
            reached = {(t, p): at for t, p, at in position["at"]}
        else:
            reached = {where: begin for where, (begin, _) in self.bounds().items()}
        with closing(self._consumer()) as consumer:
            yield from self._read(consumer, reached)

    def _read(self, consumer: Consumer, reached: dict[tuple[str, int], int]) -> Iterator[Piece]:
        for messages in messages_of(consumer, self.bounds(), reached, self.name):
            yield self._piece(messages, reached)

    def _piece(self, messages: list[Any], reached: dict[tuple[str, int], int]) -> Piece:
        records, unreadable = [], 0
        learn(self.wire, [message.value() for message in messages])
        for message in messages:
            try:
                event, canonical = self.wire.decode(message.value() or b"")
            except DecodeError:
                unreadable += 1
                continue
            if self.span.holds(event):
                records.append(with_value(event, canonical))
        bounds = self.bounds()
        position = {
            "bounds": [[*where, *ends] for where, ends in bounds.items()],
            "at": [[*where, at] for where, at in reached.items()],
        }
        done = sum(at - bounds[where][0] for where, at in reached.items())
        return Piece(records, position, done, unreadable=unreadable)

    def _consumer(self) -> Consumer:
        return consumer_of(self.servers)


def learn(wire: Wire, values: list[bytes | None]) -> None:
    """Ask the registry for the schemas that these need. Raises RegistryUnreachable."""
    if wire.registry is not None:
        for schema_id in SchemaLookup(wire.registry).missing(values):
            wire.registry.learn(schema_id)


def consumer_of(servers: str) -> Consumer:
    """A consumer that reads what it is told to, and commits nothing."""
    return Consumer(
        librdkafka_settings(servers)
        | {
            "group.id": "ringback-replay",  # the client wants one; nothing is committed under it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 10,  # full queues are looked at again; after a second they are empty
            "log_level": 0,
        }
    )


def messages_of(
    consumer: Consumer, bounds: Offsets, reached: dict[tuple[str, int], int], name: str
) -> Iterator[list[Any]]:
    """Messages within bounds, some at a time; `reached` says at any time where reading goes on.

    Raises TopicUnreadable.
    """
    ends = {where: end for where, (_, end) in bounds.items()}
    left = [where for where, at in reached.items() if at < ends[where]]
    if left:
        consumer.assign([TopicPartition(*where, reached[where]) for where in left])
    silent = 0
    while left:
        messages: list[Any] = consumer.consume(PIECE, POLL_S)
        silent = 0 if messages else silent + 1
        wanted = []
        for message in messages:
            where, offset = (message.topic(), message.partition()), message.offset()
            error, end = message.error(), ends[where]
            if error is None and offset < end:
                wanted.append(message)
                reached[where] = offset + 1
            elif error is None or error.code() == KafkaError._PARTITION_EOF:  # behind it markers at most
                reached[where] = min(offset, end)
        if silent * POLL_S > SILENT_S:
            raise TopicUnreadable(f"{name}: nothing came for {SILENT_S} s; run the command again to go on")
        left = [where for where in left if reached[where] < ends[where]]
        yield wanted


def with_value(event: Event, canonical: bytes) -> OutgoingRecord:
    """The record of an event whose canonical bytes are known."""
    return event_record(event, lambda _: canonical)


def cluster_of(consumer: Consumer) -> str:
    """Kafka's id of the cluster. Raises TopicUnreadable."""
    try:
        return str(consumer.list_topics(timeout=ANSWER_S).cluster_id)
    except KafkaException as error:
        raise TopicUnreadable(f"Kafka does not answer: {error.args[0].str()}") from None


def bounds_of(consumer: Consumer, asked: Asked) -> Offsets:
    """Offsets to be read of each partition. Raises KafkaException, NothingSuch."""
    found: Offsets = {}
    for topic in asked.topics:
        partitions = consumer.list_topics(topic, ANSWER_S).topics[topic].partitions
        if not partitions:
            raise NothingSuch(f"there is no topic {topic}")
        wanted = {part.partition: part for part in asked.parts} or {n: Part(n) for n in partitions}
        if missing := sorted(wanted.keys() - partitions.keys()):
            raise NothingSuch(f"{topic} has no partition {missing[0]}; it has {len(partitions)}, from 0")
        for number, part in wanted.items():
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), ANSWER_S)
            if asked.sent is not None:
                low, high = sent_between(consumer, (topic, number), asked.sent, high)
            begin, end = max(low, part.begin), min(high, part.end if part.end is not None else high)
            if begin < end:
                found[topic, number] = (begin, end)
    return found


def sent_between(
    consumer: Consumer, where: tuple[str, int], sent: tuple[int, int], high: int
) -> tuple[int, int]:
    """Offsets of the records that were sent in [from, to); -1 of Kafka means that none was sent later."""
    asked = [TopicPartition(*where, moment) for moment in sent]
    first, end = (consumer.offsets_for_times([one], ANSWER_S)[0].offset for one in asked)
    return (first if first >= 0 else high), (end if end >= 0 else high)
