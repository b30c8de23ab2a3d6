"""Random worlds through the worker's own stages: any permutation, duplication, number of partitions and split
into batches gives byte-identical tallies, facts, first contact resolution and agents' quarters, those of the
plain functions of kpis/. RINGBACK_WORLDS=5000 runs as many; a failure is reproduced by its seed.
"""

import asyncio
import os
import random
from collections import defaultdict

import orjson
import pytest
from support import simulation
from support.simulation import Broker, Process
from support.stage_truth import KEYS, Tables, truth
from support.stage_world import World, random_world, readers_see

from kpis.rules import DEFAULT_RULES
from streams.config import StreamConfig

pytestmark = pytest.mark.slow
WORLDS = int(os.environ.get("RINGBACK_WORLDS", "500"))
CHUNKS = 10


def muddled(world: World, rng: random.Random) -> World:
    """The same set of events in another order, some of them several times."""
    contacts = [*world.contacts, *rng.choices(world.contacts, k=rng.randint(0, len(world.contacts)))]
    states = [*world.states, *rng.sample(world.states, len(world.states) // 3)]
    rng.shuffle(contacts)
    rng.shuffle(states)
    return World(contacts, states)


async def work_off(broker: Broker, partitions: int, rng: random.Random) -> None:
    """All stages, batch by batch, partition by partition as it comes."""
    positions: dict[tuple[str, int], int] = defaultdict(int)
    process = Process(broker, StreamConfig(partitions=partitions, rules=DEFAULT_RULES), kept=1_000)
    await process.start()
    while lagging := process.lagging(positions):
        await process.step(rng, positions, rng.choice(lagging))


def as_bytes(tables: Tables) -> bytes:
    """Everything that readers see, in one order."""
    rows = {table: sorted([*key, *row] for key, row in tables[table].items()) for table in KEYS}
    return orjson.dumps(rows)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_worlds(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(chunk, WORLDS, CHUNKS):
        rng = random.Random(seed)
        world = random_world(rng)
        expected = as_bytes(truth(world.contacts, world.states, DEFAULT_RULES))
        for _ in range(2):
            partitions = rng.choice((1, 2, 3, 7))
            monkeypatch.setattr(simulation, "PARTITIONS", partitions)
            broker = muddled(world, rng).broker(partitions)
            asyncio.run(work_off(broker, partitions, rng))
            assert as_bytes(readers_see(broker, partitions)) == expected, f"seed {seed}"
