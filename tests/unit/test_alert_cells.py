"""Sums that are kept between evaluations are those that are counted anew."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.cells import Cells
from alerts.label_sets import WINDOWS, series_of
from alerts.rule import Rule, RuleFile
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.ladder import Series
from kpis.rules import DEFAULT_RULES
from reports.minutes import MinuteSums

M = 60_000
KPIS = every_kpi(DEFAULT_RULES)
NAMES = ("answered_in_target", "service_level_n", "abandoned", "offered")
World = dict[tuple[int, str], dict[str, int]]


def rules() -> tuple[Rule, ...]:
    when = {"type": "objective", "op": "<", "target": 0.8}
    given = [
        {"alert": "Low", "kpi": "service_level", "when": when},
        {"alert": "High", "kpi": "abandonment_rate", "when": when, "by": ["queue", "channel"]},
        {"alert": "All", "kpi": "service_level", "when": when, "by": ["channel"]},
        {"alert": "One", "kpi": "service_level", "when": when, "where": {"queue": ["A"]}},
        {"alert": "Few", "kpi": "offered", "when": {"type": "threshold", "op": "<", "limit": 3}},
    ]
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": given}]}).groups[0].rules


def change(rng: random.Random, world: World, now: int) -> None:
    """New contacts, corrections of any minute, and minutes that lose all they had."""
    for _ in range(rng.randrange(6)):
        minute = rng.choice((now, now, now - 1, now - rng.randrange(30)))
        n = rng.choice((0, 1, 5, 5))
        counts = rng.randint(-1, n), n, rng.randint(0, n), rng.choice((0, n, n + 2))
        world[minute * M, rng.choice("ABC")] = dict(zip(NAMES, counts, strict=True))


def read(world: World, begin: int) -> list[MinuteSums]:
    """What ClickHouse answers: no rows of nothing."""
    return [
        MinuteSums(minute, "voice", queue, sums)
        for (minute, queue), sums in sorted(world.items())
        if minute >= begin and any(sums.values())
    ]


def from_begin(series: Series, begin: int) -> list[tuple[int, int, int]]:
    """The minutes that are looked at."""
    return [(m, *series.since(m, m + M)) for m in series.minutes if m >= begin]


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_kept_sums_are_those_counted_anew(seed: int) -> None:
    rng, cells, world = random.Random(seed), Cells(), World()
    for now in range(100, 160):
        change(rng, world, now)
        begin = (now - 20) * M
        minutes, cells.begin = {WINDOWS: read(world, begin)}, begin
        for rule in rules():
            kept = series_of(rule, KPIS, minutes, (), cells)
            anew = series_of(rule, KPIS, minutes, ())
            assert kept.keys() == anew.keys()
            for labels, (series,) in kept.items():
                assert from_begin(series, begin) == from_begin(anew[labels][0], begin)
                assert len(series.minutes) <= 2 * 21 + 61
