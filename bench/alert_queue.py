"""Simulated queues for the benchmark of alerts: minutes with and without dips, whose truth is known.

Poisson arrivals over a day with two peaks; a level that wanders (noise of the log odds with half an hour's
memory); three dips a week to known levels. The stream without dips is the same queue with the same draws.
"""

import math
from dataclasses import dataclass
from random import Random

from kpis.dips.ladder import Series

WEEK_MINUTES, DAY_MINUTES, M = 10_080, 1_440, 60_000
HOURS = (
    *(0.06, 0.04, 0.03, 0.03, 0.05, 0.12, 0.3, 0.6, 0.9, 1.15, 1.2, 1.05),
    *(0.85, 0.85, 1.0, 1.05, 0.95, 0.75, 0.55, 0.4, 0.3, 0.22, 0.15, 0.09),
)
DAYS = (1.2, 1.0, 0.95, 0.95, 0.98, 0.45, 0.35)
DAY_NOISE, MEMORY_MINUTES = 0.08, 30


@dataclass(frozen=True, slots=True)
class Shape:
    """A KPI: what is usual, what is wanted, and what its dips go to. All of the share of good contacts."""

    name: str
    base: float
    busy: float  # so much worse in the busiest hour, in log odds
    target: float
    levels: tuple[float, ...]
    is_rise: bool = False  # what is watched is the share of the others, that is to be low


SERVICE_LEVEL = Shape("service_level", 0.88, 0.35, 0.80, (0.72, 0.60, 0.40))
ABANDONMENT = Shape("abandonment_rate", 0.96, 0.25, 0.92, (0.86, 0.78, 0.60), True)
SHAPES = {shape.name: shape for shape in (SERVICE_LEVEL, ABANDONMENT)}


@dataclass(frozen=True, slots=True)
class Dip:
    """A stretch of minutes with another level; `visible`: so many standard errors below the target."""

    begin: int
    end: int
    level: float
    visible: float


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def poisson(rng: Random, mean: float) -> int:
    """Knuth's method: means are below ten."""
    limit, product, n = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        n += 1
    return n


def rates(rng: Random, per_hour: float, weeks: int) -> list[float]:
    """Contacts a minute, minute by minute; `per_hour` is the mean of working hours on a usual day."""
    found: list[float] = []
    for day in range(weeks * 7):
        factor = DAYS[day % 7] * math.exp(rng.gauss(0, DAY_NOISE))
        found += [per_hour / 60 * HOURS[minute // 60] * factor for minute in range(DAY_MINUTES)]
    return found


def plan(rng: Random, shape: Shape, rate: list[float]) -> list[Dip]:
    """Three dips a week between 7 and 20 o'clock, hours apart."""
    dips: list[Dip] = []
    for week in range(len(rate) // WEEK_MINUTES):
        for day in sorted(rng.sample(range(7), 3)):
            begin = week * WEEK_MINUTES + day * DAY_MINUTES + rng.randrange(7 * 60, 20 * 60)
            end = min(begin + rng.choice((30, 60, 120, 240)), len(rate))
            level = rng.choice(shape.levels)
            n = sum(rate[begin:end])
            spread = math.sqrt(shape.target * (1 - shape.target))
            dips.append(Dip(begin, end, level, (shape.target - level) * math.sqrt(n) / spread))
    return dips


def streams(
    seed: int, shape: Shape, per_hour: float, weeks: int, noise: float
) -> tuple[Series, Series, list[Dip]]:
    """Minutes without dips, with dips, and the dips."""
    rng = Random(f"{seed} {shape.name} {per_hour}")
    rate = rates(rng, per_hour, weeks)
    dips = plan(rng, shape, rate)
    level_at = {minute: dip.level for dip in dips for minute in range(dip.begin, dip.end)}
    calm, dipped = Series(), Series()
    memory = math.exp(-1 / MEMORY_MINUTES)
    fresh, wander = noise * math.sqrt(1 - memory * memory), rng.gauss(0, noise)
    base = log_odds(shape.base)
    for minute, mean in enumerate(rate):
        wander = wander * memory + rng.gauss(0, fresh)
        n = poisson(rng, mean)
        if not n:
            continue
        busy = shape.busy * min(1.0, HOURS[minute % DAY_MINUTES // 60] / 1.2)
        good = 1 / (1 + math.exp(-(base - busy + wander)))
        dip = level_at.get(minute)
        low = good if dip is None else 1 / (1 + math.exp(-(log_odds(dip) + wander)))
        draws = [rng.random() for _ in range(n)]
        calm.add(minute * M, sum(draw < good for draw in draws), n)
        dipped.add(minute * M, sum(draw < low for draw in draws), n)
    return calm, dipped, dips
