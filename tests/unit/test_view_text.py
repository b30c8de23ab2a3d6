"""Text of the views: periods are those of sql.periods in any zone, and no KPI is forgotten."""

import random
from bisect import bisect_right
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from reports.kpi.answer import READERS
from schemas.time_units import HOUR_MS
from sinks.views.columns import column_id
from sinks.views.statements import statements
from sql.periods import edges
from sql.views import grid
from sql.views.period import with_values

# 23 and 25 hours; half-hour shifts; :30 and :45; a midnight that does not exist; a minute past midnight; a
# day that does not exist; four shifts a year.
ZONES = ("UTC", "Europe/Rome", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham",
         "America/Sao_Paulo", "Asia/Beirut", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca",
         "America/New_York", "Europe/Moscow")  # fmt: skip
EVERY = ("15m", "30m", "1h", "1d", "1w")


def found(every: str, pieces: list[tuple[grid.Piece, int]], second: int) -> int:
    """What the expressions of the grid compute."""
    place = max(bisect_right([begin for (begin, _, _), _ in pieces], second) - 1, 0)
    value, length = pieces[place][0][1], grid.LENGTH_S[every]
    return -value if value < 0 else (second + value) // length * length - value


@cache
def shifts_of(zone: ZoneInfo) -> list[tuple[int, int]]:
    """All shifts of the clock; dear, and asked for by each kind of period."""
    return grid.shifts(grid.FIRST_MS, grid.LAST_MS, zone)


def pieces_of(every: str, zone: ZoneInfo) -> list[tuple[grid.Piece, int]]:
    known = [(a // 1000, b // 1000) for a, b in shifts_of(zone)]
    if every in ("15m", "30m", "1h"):
        return grid.joined(grid.short_pieces(grid.LENGTH_S[every], known, grid.LAST_MS // 1000))
    return grid.joined(grid.long_pieces(grid.LENGTH_S[every], grid.long_edges(every, zone), known))


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("every", EVERY)
def test_pieces_are_periods(name: str, every: str) -> None:
    zone = ZoneInfo(name)
    pieces = pieces_of(every, zone)
    rng = random.Random(name + every)
    shifts = [shift for shift, _ in shifts_of(zone)[1:]]
    around = shifts or [rng.randrange(grid.FIRST_MS, grid.LAST_MS) for _ in range(20)]
    for moment in rng.sample(around, min(12, len(around))):
        moment = max(moment, grid.FIRST_MS + 40 * 24 * HOUR_MS) // 60_000 * 60_000
        listed = edges(moment - 20 * 24 * HOUR_MS, moment + 20 * 24 * HOUR_MS, every, zone)
        for _ in range(30):
            near = moment + rng.randrange(-26 * 60, 26 * 60) * 60_000
            expected = listed[bisect_right(listed, near) - 1]
            assert found(every, pieces, near // 1000) * 1000 == expected, (moment, near)


def test_values_in_a_view_are_quoted_and_typed() -> None:
    parameters = {"queues": ['it\'s "odd"\\'], "none": [], "limit": 5}
    text = "has({queues:Array(String)}, q) OR {limit:Int64} > 3 OR empty({none:Array(Int64)})"
    assert with_values(text, parameters) == (
        "has(CAST(['it\\'s \"odd\"\\\\'], 'Array(String)'), q) OR CAST(5, 'Int64') > 3 "
        "OR empty(CAST([], 'Array(Int64)'))"
    )


RULES = [DEFAULT_RULES, Rules(async_channels=(), fcr=FcrRules(windows_days=(2,), default_days=2))]


ELSEWHERE = {
    "agents": "agent_day_wide", "states": "agent_day_wide", "live": "kpi_now", "backlog": "backlog_now",
}  # fmt: skip


@pytest.mark.parametrize("rules", RULES, ids=["default", "other"])
def test_every_kpi_is_in_a_view_and_answered(rules: Rules) -> None:
    """A KPI of the registry that nobody shows is a mistake of whoever added it."""
    made = statements(rules, "UTC")
    for kpi in every_kpi(rules).values():
        view = ELSEWHERE.get(kpi.table, "kpi_day_wide")
        for name in (column_id(kpi), f"{column_id(kpi)}_n"):
            assert f"`{name}` Nullable(" in made[view], (view, name)
            assert f" AS `{name}`" in made[view], (view, name)
        assert kpi.table in READERS
