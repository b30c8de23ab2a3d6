"""Contacts that were split between partitions (case 53): never counted in two halves, and healed exactly.

Random worlds, of which some events are in a wrong partition. A worker of before, which did not look, has
counted them; one of today has refused them. After `ringback heal` readers see the truth, whatever the order.
"""

import asyncio
import logging
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import orjson
import pytest
import structlog
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from support.simulation import PARTITIONS, Broker, Process
from support.stage_truth import differences, truth
from support.stage_world import World, random_world, readers_see

from kpis.rules import DEFAULT_RULES
from schemas.codec import decode, encode
from schemas.events import ContactEvent
from schemas.placement import partition_of
from schemas.topics import CONTACT_EVENTS, DEAD_LETTERS
from streams.config import Partitioner, StreamConfig
from streams.kafka.placement import Found, take
from streams.stages.contacts.placement import WRONG_PARTITION

SEEDS = range(int(os.environ.get("RINGBACK_HEALED", "40")))
CONFIG = StreamConfig(partitions=PARTITIONS, rules=DEFAULT_RULES, dead_letter_max_share=1.0)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of batches, none worth a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


Positions = dict[tuple[str, int], int]


@given(st.binary(max_size=40), st.integers(1, 1000))
def test_partitions_are_those_of_kafka_s_client(key: bytes, partitions: int) -> None:
    numbers = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key or b"", numbers, numbers)


def split_world(rng: random.Random) -> tuple[World, Broker]:
    """A world whose contacts are right, split, or wholly elsewhere."""
    world = random_world(rng)
    broker = World([], world.states).broker()
    share = {event.contact_id: rng.choice((0, 0, 0.4, 1)) for event in world.contacts}
    for event in world.contacts:
        key = event.contact_id.encode()
        right = partition_of(key, PARTITIONS)
        wrong = rng.random() < share[event.contact_id]
        number = (right + 1) % PARTITIONS if wrong else right
        broker.records[CONTACT_EVENTS, number].append((key, encode(event)))
    return world, broker


async def work(
    broker: Broker, rng: random.Random, positions: Positions, partitioner: Partitioner, epoch: int
) -> None:
    """A worker from its start until nothing is left to do."""
    process = Process(broker, replace(CONFIG, partitioner=partitioner, epoch=epoch), kept=100)
    await process.start()
    while lagging := process.lagging(positions):
        await process.step(rng, positions, rng.choice(lagging))


def letters(broker: Broker) -> list[dict[str, object]]:
    """What was refused."""
    return [orjson.loads(value) for _, value in broker.records[DEAD_LETTERS, 0]]


def heal(broker: Broker) -> int:
    """What `ringback heal` does: what is found goes home, then its place is told that it has moved."""
    found = Found(PARTITIONS)
    for number in range(PARTITIONS):
        for offset, (key, value) in enumerate(broker.records[CONTACT_EVENTS, number]):
            take(found, number, offset, key, value)
    for stray in found.strays():
        broker.records[CONTACT_EVENTS, partition_of(stray.key, PARTITIONS)].append((stray.key, stray.value))
    for key, number in found.left:
        broker.records[CONTACT_EVENTS, number].append((key, None))  # type: ignore[arg-type]
    return len(found.strays())


@pytest.mark.parametrize("before", ["any", "murmur2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_healing(seed: int, before: Partitioner) -> None:
    rng = random.Random(seed)
    world, broker = split_world(rng)
    positions: Positions = defaultdict(int)
    asyncio.run(work(broker, rng, positions, before, 0))
    if before == "murmur2":  # what is elsewhere is not counted, and no contact is counted twice
        right = [
            event
            for number in range(PARTITIONS)
            for key, value in broker.records[CONTACT_EVENTS, number]
            if partition_of(key, PARTITIONS) == number
            for event in [cast(ContactEvent, decode(value))]
        ]
        assert differences(readers_see(broker), truth(right, world.states, DEFAULT_RULES)) == {}
        assert [letter["reason"] for letter in letters(broker)] == [WRONG_PARTITION] * (
            len(world.contacts) - len(right)
        )
    asyncio.run(work(broker, rng, positions, "murmur2", 0))
    heal(broker)
    assert heal(broker) == 0
    asyncio.run(work(broker, rng, positions, "murmur2", 0))
    if before == "any":  # rows of two partitions have told of one contact: the next ones must beat them
        asyncio.run(work(broker, rng, positions, "murmur2", 1))
    assert (
        differences(readers_see(broker, seed=seed), truth(world.contacts, world.states, DEFAULT_RULES)) == {}
    )
