"""Random worlds of contacts and agents as topics of a simulated broker, and what readers see in the end."""

import random
from dataclasses import dataclass
from types import SimpleNamespace

from support.simulation import PARTITIONS, Broker
from support.stage_truth import Tables, seen
from support.worlds import AGENTS, BASE_MS, random_contact

from schemas.codec import encode
from schemas.events import AgentStateChanged, ContactEvent
from schemas.placement import partition_of as placed
from schemas.time_units import HOUR_MS
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, CONTACT_FACTS
from sinks.buffer import LATEST, Buffer
from streams.kafka.decoding import decode_single_object
from streams.stages.forwards import partition_of

STATES = ("available", "busy", "break", "training", "offline")


@dataclass(frozen=True)
class World:
    """Everything that happened, as the topics have it."""

    contacts: list[ContactEvent]
    states: list[AgentStateChanged]

    def broker(self, partitions: int = PARTITIONS) -> Broker:
        broker = Broker()
        for topic, events in ((CONTACT_EVENTS, self.contacts), (AGENT_EVENTS, self.states)):
            for event in events:
                key = event.agent if topic == AGENT_EVENTS else event.contact_id
                number = partition_of(key, partitions)
                if topic == CONTACT_EVENTS:
                    number = placed(key.encode(), partitions)
                broker.records[topic, number].append((key.encode(), encode(event)))
        return broker


def random_states(rng: random.Random) -> list[AgentStateChanged]:
    """States of agents, muddled, corrected, some twice."""
    events = []
    for number in range(rng.randint(0, 40)):
        at = BASE_MS + rng.randrange(0, 48 * HOUR_MS, 60_000) + rng.choice((0, 0, 137))
        event = AgentStateChanged(
            event_id=f"s{rng.randint(0, number)}",
            agent=rng.choice(AGENTS),
            team=rng.choice((None, "t1", "t2")),
            state=rng.choice(STATES),
            occurred_at=at,
            source="world",
            revision=rng.choice((0, 0, 0, 1)),
        )
        events += [event] * rng.choice((1, 1, 1, 2))
    rng.shuffle(events)
    return events


def random_world(rng: random.Random) -> World:
    """A few nasty contacts of few customers, which call each other back."""
    contacts: list[ContactEvent] = []
    for number in range(rng.randint(1, 12)):
        contacts += random_contact(rng, f"k{number}")
    contacts += rng.sample(contacts, len(contacts) // 5)
    rng.shuffle(contacts)
    return World(contacts, random_states(rng))


def readers_see(broker: Broker, partitions: int = PARTITIONS, seed: int = 0) -> Tables:
    """The sink's own rows, of all that was ever written.

    It is killed now and then between insert and commit: then the same comes again, more or less of it.
    """
    rows: dict[str, list[list[object]]] = {}
    rng = random.Random(seed)
    for topic in (CONTACT_FACTS, *LATEST):
        for partition in range(partitions):
            records, committed = broker.records[topic, partition], 0
            while committed < len(records):
                end = committed + rng.choice((1, rng.randint(1, 50)))
                for table, made in inserted(topic, partition, records, committed, end).items():
                    rows.setdefault(table, []).extend(made)
                if rng.random() < 0.8:
                    committed = end
    return seen(rows)


def inserted(
    topic: str, partition: int, records: list[tuple[bytes, bytes]], begin: int, end: int
) -> dict[str, list[list[object]]]:
    """Rows of one insert of the sink."""
    buffer = Buffer(decode_single_object)
    for offset, (key, value) in enumerate(records[begin:end], begin):
        record = SimpleNamespace(
            topic=topic, partition=partition, offset=offset, timestamp=0, key=key, value=value
        )
        buffer.add(record)  # type: ignore[arg-type]
    return buffer.rows()
