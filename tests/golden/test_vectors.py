"""Figures counted by hand that take more than one contact: aggregate vector, S09, S16, S20, S21, S23, S24."""

from pathlib import Path

import pytest
from support.notation import BASE_MS, read_events
from support.tables import read_file

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import quotient, total
from kpis.facts import Facts
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from kpis.tallies.peak_hour import peak_hour
from kpis.tallies.windows import MEASURES, ZERO, Contribution, add, contribution

KPIS = every_kpi(DEFAULT_RULES)
FOLDER = Path(__file__).parent
AGGREGATE = [
    "S01_simple",
    "S02_abandon",
    "S03_short_abandon",
    "S04_ivr",
    "S05_cold_transfer",
    "S06_warm_transfer",
    "S07_hold_abandon",
    "S08_queue_flow",
    "S09a_callback_request",
    "S10_no_answered",
    "S11a_skew",
    "S11b_big_skew",
    "S25_no_started",
    "S26_answer_after_abandon",
]


def facts_of(name: str) -> Facts:
    scenario = read_file(FOLDER / f"{name}.txt")[0]
    return fold(scenario.read(name))


def merge(contributions: list[Contribution]) -> dict[str, int]:
    """Sums over all windows of all contacts."""
    whole = ZERO
    for windows in contributions:
        for tally in windows.values():
            whole = add(whole, tally)
    return dict(zip(MEASURES, whole, strict=True))


def value(kpi: str, sums: dict[str, int]) -> float | None:
    return quotient(total(KPIS[kpi].num, sums), total(KPIS[kpi].den, sums))


@pytest.fixture(scope="module")
def facts() -> list[Facts]:
    return [facts_of(name) for name in AGGREGATE]


@pytest.fixture(scope="module")
def sums(facts: list[Facts]) -> dict[str, int]:
    return merge([contribution(of_one, DEFAULT_RULES) for of_one in facts])


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("contacts", 14),
        ("offered", 15),
        ("answered", 10),
        ("abandoned", 3),
        ("flow_out", 2),
        ("waiting", 0),
        ("handled", 11),
        ("short_abandoned", 1),
        ("ivr_abandoned", 1),
        ("answered_in_target", 7),
        ("service_level_n", 10),
        ("wait_ms", 130_000),
        ("wait_n", 8),
        ("queue_ms", 353_000),
        ("queue_n", 13),
        ("handle_ms", 1_715_800),
        ("handle_n", 10),
        ("talk_ms", 1_485_800),
        ("hold_ms", 170_000),
        ("acw_ms", 80_000),
        ("transferred_out", 2),
        ("ended_transferred", 2),
        ("ended_handled", 9),
        ("held", 3),
        ("hold_n", 4),
    ],
)
def test_aggregate_sums(sums: dict[str, int], measure: str, expected: int) -> None:
    assert sums[measure] == expected


@pytest.mark.parametrize(
    ("kpi", "expected", "tolerance"),
    [
        ("service_level", 0.70, 1e-9),
        ("service_level_offered", 0.467, 5e-4),
        ("service_level_answered", 0.875, 1e-9),
        ("asa", 16_250, 1e-9),
        ("queue_time_avg", 27_154, 0.5),
        ("abandonment_rate", 0.14286, 5e-6),
        ("abandonment_rate_raw", 0.20, 1e-9),
        ("aht", 171_580, 1e-9),
        ("transfer_rate", 2 / 11, 1e-9),
        ("contacts_transferred_rate", 2 / 9, 1e-9),
        ("hold_rate", 3 / 11, 1e-9),
        ("hold_time_avg", 56_667, 0.5),
    ],
)
def test_aggregate_kpis(sums: dict[str, int], kpi: str, expected: float, tolerance: float) -> None:
    assert value(kpi, sums) == pytest.approx(expected, abs=tolerance)


def test_aggregate_of_facts(facts: list[Facts], sums: dict[str, int]) -> None:
    legs = [leg for of_one in facts for leg in of_one.legs]
    assert max(leg.queue_ms for leg in legs if leg.queue_ms is not None) == 90_000
    assert max(leg.hold_max_ms for leg in legs) == 60_000
    assert sum(leg.hold_ms for leg in legs if leg.handle_ms is not None) == 150_000
    assert sums["hold_ms"] / sums["hold_n"] == 42_500
    assert sums["hold_ms"] / sums["handled"] == pytest.approx(15_454.5, abs=0.05)


def test_s09_callback_wait() -> None:
    request, fulfilled = facts_of("S09a_callback_request"), facts_of("S09b_callback")
    requested_at, answered_at = request.legs[0].ended_at, fulfilled.legs[0].answered_at
    assert requested_at is not None
    assert answered_at is not None
    assert answered_at - requested_at == 570_000


@pytest.mark.parametrize(
    ("kpi", "percent"),
    [
        ("service_level_answered", 86.0000),
        ("service_level_positive_abandoned", 83.0189),
        ("service_level_offered", 81.1321),
        ("service_level_ignore_abandoned", 82.6923),
        ("service_level_short_positive", 82.0755),
        ("service_level", 81.9048),
    ],
)
def test_s16_service_level_variants(kpi: str, percent: float) -> None:
    answered, abandoned, short = 1_000, 60, 10
    counts = {
        "offered": answered + abandoned,
        "wait_n": answered,
        "abandon_wait_n": abandoned,
        "short_abandoned": short,
        "answered_in_target": 860,
        "abandoned_in_target": 20,
        "service_level_n": answered + abandoned - short,
    }
    assert round(100 * (value(kpi, counts) or 0), 4) == percent


@pytest.mark.parametrize(
    ("kpi", "percent"),
    [
        ("service_level_ignore_abandoned", 77.78),
        ("service_level_offered", 70),
        ("service_level_positive_abandoned", 80),
    ],
)
def test_s16_cisco(kpi: str, percent: float) -> None:
    """70 answered within T, 10 abandoned within T, 20 answered later."""
    counts = {
        "offered": 100,
        "wait_n": 90,
        "abandon_wait_n": 10,
        "answered_in_target": 70,
        "abandoned_in_target": 10,
    }
    assert round(100 * (value(kpi, counts) or 0), 2) == percent


def test_s20_answered_in_the_next_half_hour_counts_where_it_was_offered() -> None:
    half_hour = 1_800_000
    at_nine = 9 * 3_600_000
    facts = fold(read_events("s@34100, q@34190(A), a@34220"))  # 09:28:20, 09:29:50, 09:30:20
    booked = {
        (window.start - BASE_MS) // half_hour * half_hour
        for window, tally in contribution(facts, DEFAULT_RULES).items()
        if tally[MEASURES.index("offered")] or tally[MEASURES.index("answered")]
    }
    assert booked == {at_nine}
    assert (facts.legs[0].entered_at - BASE_MS) // half_hour * half_hour == at_nine
    by_activity = {
        (window.start - BASE_MS) // half_hour * half_hour
        for window, tally in contribution(facts, DEFAULT_RULES).items()
        if tally[MEASURES.index("answers")]
    }
    assert by_activity == {at_nine + half_hour}  # as Genesys counts it


def test_s21_peak_is_a_sliding_hour() -> None:
    quarters = [4, 9, 7, 6, 8, 2, 1, 3]  # from 09:00
    assert peak_hour(quarters) == (1, 30)  # 09:15 to 10:15
    assert [peak_hour(quarters[start : start + 4]) for start in range(5)] == [
        (0, hour) for hour in (26, 30, 23, 17, 14)
    ]


def test_peak_of_a_tie_is_the_earliest_and_of_too_little_none() -> None:
    assert peak_hour([1, 1, 1, 1, 1]) == (0, 4)
    assert peak_hour([5, 5, 5]) is None


def test_s23_windows_are_merged_not_averaged() -> None:
    first = {"answered_in_target": 9, "service_level_n": 10}
    second = {"answered_in_target": 10, "service_level_n": 90}
    both = {name: first[name] + second[name] for name in first}
    of_both, of_first, of_second = (value("service_level", sums) for sums in (both, first, second))
    assert of_both == 0.19
    assert of_first is not None
    assert of_second is not None
    assert round(100 * (of_first + of_second) / 2, 1) == 50.6


def test_s24_longest_wait_can_go_down() -> None:
    short = fold(read_events("s, q@0, a@15"))
    long = read_events("s, q@0, a@90{event_id=answer}")
    corrected = read_events("s, q@0, a@12{event_id=answer revision=1}")[2]

    def longest(other: Facts) -> int:
        return max(leg.queue_ms or 0 for leg in (*short.legs, *other.legs))

    assert longest(fold(long)) == 90_000
    assert longest(fold([*long, corrected])) == 15_000
