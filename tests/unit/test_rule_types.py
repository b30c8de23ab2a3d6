"""Rule types beside the objective: limits, silence, volume, budgets, matured cohorts."""

from datetime import UTC, datetime
from fractions import Fraction
from math import comb
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.dips.absence import Starved
from kpis.dips.burn import BudgetBurn, Burn
from kpis.dips.detector import Detector
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Objective, Series
from kpis.dips.machine import Timing
from kpis.dips.matured import Matured, cohort
from kpis.dips.seasonal import SHAPE_MAX, Unusual, too_few, too_many
from kpis.dips.threshold import BeyondLimit
from kpis.dips.usual import OffUsual, usual_target
from kpis.dips.weeks import WEEK_MS, Weeks, local, weeks_before

M, H, D = 60_000, 3_600_000, 86_400_000
MONDAY = 1_767_571_200_000  # 2026-01-05T00:00Z
P = Fraction(1, 100_000)


def changes(
    detector: Detector, parts: list[Series], begin: int, end: int, timing: Timing | None = None
) -> list[str]:
    timing = timing or Timing(2 * M, 15 * M)
    return [
        f"{change.to} {(change.at - begin) // M}"
        for _, change in transitions(parts, (begin, end), M, detector, timing)
        if change and change.to != "pending"
    ]


def flat(
    begin: int, end: int, successes: int, n: int, every: int = M, series: Series | None = None
) -> Series:
    found = series or Series()
    for minute in range(begin, end, every):
        found.add(minute, successes, n)
    return found


def test_a_gauge_is_over_when_it_is_clear_not_when_it_is_just_below_its_limit() -> None:
    longest = BeyondLimit(Fraction(90_000), Fraction(60_000), False, 15 * M, 1, is_gauge=True)
    waits = [30, 100, 100, 100, 80, 80, *[80] * 20, *[50] * 16]
    series = Series()
    for number, seconds in enumerate(waits):
        series.add(number * M, seconds * 1_000, 1)
    assert changes(longest, [series], 0, 45 * M) == ["firing 4", "resolved 41"]


def test_a_gauge_that_nobody_waits_at_is_nought() -> None:
    many = BeyondLimit(Fraction(5), Fraction(5), False, 15 * M, 1, is_gauge=True)
    assert changes(many, [flat(0, 5 * M, 9, 9)], 0, 30 * M) == ["firing 3", "resolved 20"]


def test_a_mean_is_compared_in_whole_numbers() -> None:
    mean = BeyondLimit(Fraction(45_000), Fraction(45_000), False, 15 * M, 10)
    assert changes(mean, [flat(0, 30 * M, 90_000, 2)], 0, 30 * M) == []  # exactly 45 s
    assert changes(mean, [flat(0, 30 * M, 90_002, 2)], 0, 30 * M) == ["firing 7"]


def test_the_same_time_of_the_week_on_a_clock_that_was_shifted() -> None:
    monday_after = int(datetime(2026, 3, 30, 9, tzinfo=ZoneInfo("Europe/Rome")).timestamp()) * 1000
    before = weeks_before("Europe/Rome", monday_after, 1)
    assert monday_after - before == WEEK_MS - H
    assert datetime.fromtimestamp(before / 1000, ZoneInfo("Europe/Rome")).hour == 9
    assert local("Europe/Rome", monday_after) - monday_after == 2 * H
    assert datetime.fromtimestamp(weeks_before("UTC", monday_after, 3) / 1000, UTC).hour == 7


def weeks_of_calls(number: int, per_minute: int) -> Series:
    """Calls from 8 to 18 on every day of so many weeks before MONDAY."""
    series = Series()
    for day in range(-7 * number, 0):
        flat(MONDAY + day * D + 8 * H, MONDAY + day * D + 18 * H, per_minute, per_minute, series=series)
    return series


def starved(**changed: object) -> Starved:
    given = {"zone": "UTC", "number": 8, "at_least": 2, "holidays": frozenset[int]()} | changed
    return Starved(Weeks(**given), 12, 4 * H)  # type: ignore[arg-type]


def test_silence_where_there_were_calls() -> None:
    series = flat(MONDAY + 8 * H, MONDAY + 10 * H, 1, 1, series=weeks_of_calls(3, 1))
    flat(MONDAY + 12 * H, MONDAY + 18 * H, 1, 1, series=series)
    # The 13th call that is missed, and two minutes; the end after 15 minutes with calls.
    assert changes(starved(), [series], MONDAY, MONDAY + D) == [
        f"firing {10 * 60 + 15}",
        f"resolved {12 * 60 + 15}",
    ]


def test_nights_and_holidays_are_no_silence() -> None:
    usual = flat(MONDAY + 8 * H, MONDAY + 18 * H, 1, 1, series=weeks_of_calls(3, 1))
    assert changes(starved(), [usual], MONDAY, MONDAY + D) == []
    closed = weeks_of_calls(3, 1)
    assert changes(starved(), [closed], MONDAY, MONDAY + D) != []
    assert changes(starved(holidays=frozenset({MONDAY // D})), [closed], MONDAY, MONDAY + D) == []


def test_without_history_nothing_is_said() -> None:
    assert changes(starved(), [weeks_of_calls(1, 1)], MONDAY, MONDAY + D) == []


def negative_binomial(seen: int, total: int, weeks: int) -> Fraction:
    """P(X <= seen), term by term."""
    shape = min(total + 1, SHAPE_MAX)
    q = Fraction(total + 1, shape * weeks + total + 1)
    return sum((comb(shape + j - 1, j) * (1 - q) ** shape * q**j for j in range(seen + 1)), Fraction(0))


@given(st.integers(0, 60), st.integers(0, 300), st.integers(2, 8), st.sampled_from([P, Fraction(1, 50)]))
def test_volume_is_judged_by_the_exact_tail(seen: int, total: int, weeks: int, p: Fraction) -> None:
    assert too_few(seen, total, weeks, p) == (
        seen * weeks < total and negative_binomial(seen, total, weeks) < p
    )
    above = 1 - negative_binomial(seen - 1, total, weeks) if seen else Fraction(1)
    assert too_many(seen, total, weeks, p) == (seen * weeks > total and above < p)


def test_a_drop_and_a_rise_of_volume() -> None:
    series = flat(MONDAY + 8 * H, MONDAY + 12 * H, 5, 5, series=weeks_of_calls(4, 5))
    flat(MONDAY + 12 * H, MONDAY + 14 * H, 1, 1, 5 * M, series)
    flat(MONDAY + 14 * H, MONDAY + 18 * H, 15, 15, series=series)
    weeks = Weeks("UTC", 8, 3, frozenset())
    drop = changes(Unusual(weeks, True, P, (H, 2 * H)), [series], MONDAY, MONDAY + D)
    rise = changes(Unusual(weeks, False, P, (H, 2 * H)), [series], MONDAY, MONDAY + D)
    assert [change.split()[0] for change in drop] == ["firing", "resolved"]
    assert 12 * 60 < int(drop[0].split()[1]) < 13 * 60
    assert [change.split()[0] for change in rise] == ["firing", "resolved"]
    assert 14 * 60 < int(rise[0].split()[1]) < 15 * 60


def test_a_budget_burns_over_both_windows() -> None:
    burn = BudgetBurn(Fraction(4, 5), True, (Burn(Fraction(2), H, 5 * M),), 20)
    steady = flat(0, 3 * H, 7, 10)  # 30 % fail: one and a half times the 20 % allowed
    assert changes(burn, [steady], 0, 3 * H) == []
    bad = flat(H, 3 * H, 5, 10, series=flat(0, H, 9, 10))
    fired = changes(burn, [bad], 0, 3 * H)
    assert [change.split()[0] for change in fired] == ["firing"]


@pytest.mark.parametrize("failing", [False, True])
def test_cohorts_are_judged_when_their_customers_had_the_time_to_come_back(failing: bool) -> None:
    """Since day 20 more customers come back: seen a day later, in contacts of one day, by their own floor."""

    def part(days: int, good: int, bad: int) -> Series:
        series = Series()
        for hour in range(40 * 24):
            series.add(hour * H, bad if failing and hour >= 20 * 24 else good, 20)
        return series

    def floor(target: Fraction) -> Objective:
        return Objective(target, True, Fraction(1, 1000), (D, 3 * D, 7 * D), 20, 20)

    matured = Matured((cohort(1, floor(Fraction(87, 100))), cohort(7, floor(Fraction(72, 100)))))
    fired = changes(matured, [part(1, 18, 15), part(7, 15, 12)], 15 * D, 40 * D, Timing(2 * M, D))
    if not failing:
        assert fired == []
    else:
        (first,) = fired
        day = int(first.split()[1]) / 1440 + 15
        assert 21 < day < 22


def days_of(*shares: int) -> Series:
    """Hours of 40 contacts, ten a day from 8 to 18, the level in percent given by day."""
    series = Series()
    for day, share in enumerate(shares):
        for hour in range(8, 18):
            series.add(MONDAY + day * D + hour * H, 40 * share // 100 - (4 if hour == 12 else 0), 40)
    return series


def objective_at(target: str, below: bool = True) -> Objective:
    return Objective(Fraction(target), below, Fraction(1, 1000), (15 * M, 60 * M), 5, 10)


def test_a_queue_that_always_misses_its_objective_is_judged_by_its_own_bad_hours() -> None:
    hours = days_of(*[60] * 20)
    wanted = objective_at("0.8")
    assert usual_target(hours, MONDAY, wanted) is None  # nothing is known before
    assert usual_target(hours, MONDAY + 20 * D, wanted) == Fraction(1, 2)
    assert usual_target(days_of(*[100] * 20), MONDAY + 20 * D, wanted) == Fraction(4, 5)
    detector, today = OffUsual(wanted), MONDAY + 20 * D
    usual = flat(today + 8 * H, today + 12 * H, 6, 10)
    assert changes(detector, [usual, hours], today, today + 12 * H) == []
    dip = flat(today + 9 * H, today + 10 * H, 1, 10, series=flat(today + 8 * H, today + 9 * H, 6, 10))
    assert [change.split()[0] for change in changes(detector, [dip, hours], today, today + 10 * H)] == [
        "firing"
    ]


@pytest.mark.parametrize(
    ("share", "first_hour", "until_thirty"),
    [(60, Fraction(4, 5), None), (90, Fraction(4, 5), Fraction(4, 5))],
)
def test_in_its_first_hours_a_queue_is_judged_by_the_objective_if_it_has_met_it(
    share: int, first_hour: Fraction, until_thirty: Fraction | None
) -> None:
    """The first hour has 100 % in time, all later ones a level of their own."""
    hours = Series()
    for hour in range(34):
        hours.add(MONDAY + hour * H, 40 if not hour else 40 * share // 100, 40)
    wanted = objective_at("0.8")
    assert usual_target(hours, MONDAY + H - M, wanted) is None
    assert usual_target(hours, MONDAY + H, wanted) == first_hour
    assert usual_target(hours, MONDAY + 29 * H, wanted) == until_thirty
    assert usual_target(hours, MONDAY + 30 * H, wanted) == min(Fraction(share, 100), Fraction(4, 5))
    few = Series()
    few.add(MONDAY, 19, 19)
    assert usual_target(few, MONDAY + H, wanted) is None


def test_what_began_while_a_queue_met_its_objective_ends_as_others_do() -> None:
    """Two good hours, a dip of three; then the hours so far are not on target: another dip is not judged."""
    counts = Series()
    for length, good in ((120, 9), (180, 2), (60, 9), (60, 2), (60, 9)):
        begin = counts.minutes[-1] + M if counts.minutes else MONDAY
        flat(begin, begin + length * M, good, 10, series=counts)
    hours = Series()
    for begin in range(MONDAY, MONDAY + 8 * H, H):
        hours.add(begin, *counts.since(begin, begin + H))
    found = changes(OffUsual(objective_at("0.8")), [counts, hours], MONDAY, MONDAY + 8 * H)
    assert [change.split()[0] for change in found] == ["firing", "resolved"]
    assert changes(OffUsual(objective_at("0.8")), [counts, Series()], MONDAY, MONDAY + 8 * H) == []


def test_usual_rises_are_judged_likewise() -> None:
    hours = days_of(*[20] * 20)  # 20 % abandon, 10 % at noon
    assert usual_target(hours, MONDAY + 20 * D, objective_at("0.08", False)) == Fraction(1, 5)


def test_few_contacts_make_a_stretch_together() -> None:
    hours = Series()
    for day in range(20):
        for hour in range(8, 18):
            hours.add(MONDAY + day * D + hour * H, 2, 4)
    assert usual_target(hours, MONDAY + 20 * D, objective_at("0.8")) == Fraction(1, 2)
