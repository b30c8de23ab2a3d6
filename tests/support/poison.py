"""Records that are no events, among those that are: in the end each is a dead letter, and nothing else is."""

import random

import orjson
from support.simulation import PARTITIONS, Broker

from schemas.codec import MARKER
from schemas.topics import DEAD_LETTERS, RAW_TOPICS

POISON = (b"", b"\xc3", b'{"type": "contact_started"}', MARKER + b"\xee" * 8 + b"\x00" * 20, MARKER * 40)
Endpoint = tuple[str, int]  # origin and position of a dead letter


def strew(broker: Broker, rng: random.Random) -> None:
    """Put some into the topics that come from outside."""
    for topic in RAW_TOPICS:
        for partition in range(PARTITIONS):
            records = broker.records[topic, partition]
            for _ in range(rng.choice((0, 0, 1, 3))):
                records.insert(rng.randint(0, len(records)), (b"poison", rng.choice(POISON)))


def misplaced(broker: Broker) -> list[Endpoint]:
    """Poison that is no dead letter, and dead letters that are no poison."""
    letters = {
        (letter["origin"], letter["position"]) for letter in map(orjson.loads, broker.values(DEAD_LETTERS))
    }
    strewn = {
        (f"{topic}[{partition}]", offset)
        for topic in RAW_TOPICS
        for partition in range(PARTITIONS)
        for offset, (_, value) in enumerate(broker.records[topic, partition])
        if value in POISON
    }
    return sorted(letters ^ strewn)
