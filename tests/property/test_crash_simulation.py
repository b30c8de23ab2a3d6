"""The worker's own code under a seeded simulation (tests/support/crew.py): all stages in a chain, one worker
or two, killed anywhere, hanging in the middle of a batch while their partitions move. What readers see at the
end must be the truth. A failure is reproduced by its seed, `PYTHONHASHSEED=0 pytest -k "test_crashes[123]"`;
RINGBACK_SEEDS=3000 runs more of them.
"""

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import structlog
from support.crew import run
from support.poison import misplaced, strew
from support.simulation import PARTITIONS
from support.stage_truth import differences, truth
from support.stage_world import HOUR_MS, random_world, readers_see

from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from streams.config import StreamConfig

SEEDS = range(int(os.environ.get("RINGBACK_SEEDS", "150")))
# Dear: a start opens a database for each table and partition.
DISK_SEEDS = range(int(os.environ.get("RINGBACK_DISK_SEEDS", "1")))
OTHER_RULES = Rules(
    short_abandon_ms=30_000,
    skew_tolerance_ms=0,
    async_channels=("email",),
    stale_ms=HOUR_MS,
    agent_state_max_ms=2 * HOUR_MS,
    fcr=FcrRules(windows_days=(2, 7), match_reason=False, evidence="handled", overlapping=False),
)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of batches, none worth a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def simulate(seed: int, disk: Path | None = None) -> tuple[dict[str, list[object]], Counter[str]]:
    """Run a world; what readers see otherwise than it is, and what happened."""
    store = StreamConfig() if disk is None else StreamConfig(state_store="rocksdict", state_dir=disk)
    rng = random.Random(seed)
    world = random_world(rng)
    broker, changing = world.broker(), rng.random() < 0.3
    last_rules = rng.choice((DEFAULT_RULES, OTHER_RULES))

    def config(last: bool) -> StreamConfig:
        rules = last_rules if last or not changing else rng.choice((DEFAULT_RULES, OTHER_RULES))
        return replace(store, partitions=PARTITIONS, rules=rules)

    strew(broker, random.Random(f"poison {seed}"))
    happened = asyncio.run(run(rng, broker, config))
    expected = truth(world.contacts, world.states, last_rules)
    found = differences(readers_see(broker, seed=seed), expected)
    lost: list[object] = [*misplaced(broker)]
    return found | ({"dead_letters": lost} if lost else {}), happened


simulated = cache(simulate)  # for two tests of the same worlds; where a fault is planted they are others


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes(seed: int) -> None:
    """Whatever is cut short, and wherever, readers end up with the truth."""
    assert simulated(seed)[0] == {}


@pytest.mark.parametrize("seed", DISK_SEEDS)
def test_crashes_with_state_on_disk(seed: int, tmp_path: Path) -> None:
    """As above; each start reads of the changelogs what is not on disk."""
    assert simulate(seed, tmp_path)[0] == {}


def test_it_happens() -> None:
    """The simulation is worth nothing if nothing ever crashes inside a batch, or is refused."""
    happened = sum((simulated(seed)[1] for seed in range(20)), Counter())
    assert happened["crashes"] > 20 * 5
    assert happened["killed"] > 0
    assert happened["refused"] > 0
    assert happened["moved"] > 50
