"""Decisions of dip alerts: exact counts, the ladder of windows, the state machine."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.dips.critical import CriticalCounts, critical_count
from kpis.dips.detector import off_objective
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Objective, Series, counts_of, look
from kpis.dips.machine import NoData, Standing, Step, Timing, Transition, step

M = 60_000
P = Fraction(1, 1000)
OBJECTIVE = Objective(Fraction(4, 5), True, P, tuple(x * M for x in (15, 30, 60)), 5, 10)
TIMING = Timing(for_ms=2 * M, keep_firing_for_ms=15 * M, expire_ms=240 * M)


def tail(k: int, n: int, p: Fraction) -> Fraction:
    """P(X <= k), term by term."""
    return sum((comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1)), Fraction(0))


@given(st.integers(1, 60), st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100))
def test_critical_counts_are_the_binomial_tail(n: int, target: Fraction) -> None:
    k = critical_count(n, target, P)
    assert k == -1 or tail(k, n, target) < P
    assert tail(k + 1, n, target) >= P


@given(
    st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=500).filter(lambda x: 0 < x < 1),
    st.sampled_from([Fraction(1, 20), P, Fraction(15, 10_000), Fraction(1, 10**5), Fraction(1, 10**30)]),
    st.lists(st.integers(0, 700), min_size=1, max_size=8),
)
def test_a_table_that_grew_is_the_exact_one(target: Fraction, p_value: Fraction, asked: list[int]) -> None:
    counts = CriticalCounts(target, p_value)
    for n in asked:
        assert counts.of(n) == (critical_count(n, target, p_value) if n else -1)


def test_a_table_knows_where_it_must_not_round() -> None:
    """Of 3 at 1/3, none has a probability of exactly 8/27, which is not less than 8/27."""
    for p_value, few in ((Fraction(8, 27), -1), (Fraction(8, 27) + Fraction(1, 10**90), 0)):
        assert CriticalCounts(Fraction(1, 3), p_value).of(3) == few
    sixteen = Fraction(16, 3**6)
    for n, p_value in ((6, tail(1, 6, Fraction(2, 3))), (40, tail(20, 40, Fraction(2, 3))), (9, sixteen)):
        assert CriticalCounts(Fraction(2, 3), p_value).of(n) == critical_count(n, Fraction(2, 3), p_value)


def test_of_what_is_never_too_few_no_count_is() -> None:
    counts = CriticalCounts(Fraction(4, 5), Fraction(0))
    assert [counts.of(n) for n in (0, 5, 100)] == [-1, -1, -1]


def least_n(counts: CriticalCounts) -> int:
    """How many contacts it takes until even none succeeding is too few."""
    return bisect_right(range(10_000), -1, key=counts.of)


def test_critical_counts_as_tables_have_them() -> None:
    """Of 10 at .8: P(X<=3) = .00086, P(X<=4) = .00637."""
    counts = CriticalCounts(Fraction(4, 5), P)
    assert [counts.of(n) for n in (1, 4, 5, 10)] == [-1, -1, 0, 3]
    assert least_n(counts) == 5
    assert not counts.too_few(0, 4)
    assert not counts.too_few(0, 0)
    assert counts.too_few(3, 10)
    assert not counts.too_few(4, 10)


def test_slack_is_room_below_the_target() -> None:
    """Of 1,000 no more than 759 are too few for 80 %; with 1/8 738, as for 78 %. It never reaches 0 or 1."""
    whole, half = counts_of(OBJECTIVE), counts_of(replace(OBJECTIVE, slack=Fraction(1, 8)))
    assert half.of(1000) == critical_count(1000, Fraction(78, 100), P) < whole.of(1000)
    for target in (Fraction(1, 100), Fraction(99, 100)):
        for below in (True, False):
            tight = counts_of(replace(OBJECTIVE, target=target, below=below, slack=Fraction(99, 100)))
            assert 0 < tight.target < (target if below else 1 - target)


def series(*minutes: tuple[int, int, int]) -> Series:
    """Minutes as (number, successes, counted)."""
    found = Series()
    for number, successes, counted in minutes:
        found.add(number * M, successes, counted)
    return found


def flat(begin: int, end: int, successes: int, counted: int) -> list[tuple[int, int, int]]:
    return [(number, successes, counted) for number in range(begin, end)]


def changed(own: Series, end: int, objective: Objective = OBJECTIVE) -> list[tuple[int, str]]:
    steps = transitions([own], (0, end * M), M, off_objective(objective), TIMING)
    return [(change.at // M, change.to) for _, change in steps if change]


def test_a_dip_is_pending_then_firing_then_over() -> None:
    changes = changed(series(*flat(0, 10, 9, 10), *flat(10, 20, 2, 10), *flat(20, 80, 9, 10)), 80)
    assert [to for _, to in changes] == ["pending", "firing", "resolved"]
    pending, firing, resolved = (at for at, _ in changes)
    assert (firing - pending, resolved) == (2, 20 + 15)


def test_a_rise_is_a_dip_of_the_others() -> None:
    abandonment = Objective(Fraction(2, 25), False, P, (15 * M,), 5, 10)
    rise = series(*flat(0, 10, 0, 10), *flat(10, 20, 4, 10))
    assert "firing" in [to for _, to in changed(rise, 20, abandonment)]
    assert changed(series(*flat(0, 30, 0, 10)), 30, abandonment) == []


def test_chance_is_no_dip() -> None:
    assert changed(series(*flat(0, 3, 7, 10)), 5) == []  # 70 % of 30, wanted 80 %


def test_what_was_paged_for_does_not_page_again() -> None:
    """The windows restart: an hour of 50 % still lies in the longest window when the page is over."""
    changes = changed(series(*flat(0, 60, 10, 20), *flat(60, 120, 17, 20)), 120)
    assert [to for _, to in changes].count("firing") == 1


def test_an_old_dip_that_is_over_does_not_page() -> None:
    """The long window is off, but the newest ten contacts are not."""
    seen = look(series((0, 0, 20), (20, 10, 10)), 21 * M, 0, OBJECTIVE, counts_of(OBJECTIVE))
    assert (seen.window_ms, seen.fresh_off, seen.breach) == (30 * M, False, False)


def run(seen: Iterable[Step], timing: Timing) -> Iterator[Transition]:
    """All changes of a label set."""
    now = Standing()
    for one in seen:
        now, change = step(now, one, timing)
        if change is not None:
            yield change


def steps(flags: str) -> list[Step]:
    """b breach, o off target, . on target, q quiet."""
    return [Step((n + 1) * M, M, flag == "b", flag in "bo", flag == "q") for n, flag in enumerate(flags)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("bb.", [(1, "pending"), (3, "dropped")]),
        ("bbb", [(1, "pending"), (3, "firing")]),
        ("bqqbb", [(1, "pending"), (5, "firing")]),  # without contacts its clock stands still
        ("bbb" + "." * 15, [(1, "pending"), (3, "firing"), (18, "resolved")]),
        ("bbb" + "." * 14 + "o" + "." * 15, [(1, "pending"), (3, "firing"), (33, "resolved")]),
        ("bbb" + "q" * 240, [(1, "pending"), (3, "firing"), (243, "expired")]),
        ("bbb" + "q" * 239 + "o" + "q" * 240, [(1, "pending"), (3, "firing"), (483, "expired")]),
    ],
)
def test_the_machine(flags: str, expected: list[tuple[int, str]]) -> None:
    assert [(change.at // M, change.to) for change in run(steps(flags), TIMING)] == expected


@pytest.mark.parametrize(
    ("flags", "no_data", "expected"),
    [
        ("bqqbbb", "ok", [(1, "pending"), (2, "dropped"), (4, "pending"), (6, "firing")]),
        ("bbb" + "q" * 15, "ok", [(1, "pending"), (3, "firing"), (18, "resolved")]),
        ("bbb" + "q" * 14 + "o" + "." * 15, "ok", [(1, "pending"), (3, "firing"), (33, "resolved")]),
        ("q" * 300, "ok", []),
        ("..qqq" + "q" * 600, "alert", [(3, "pending"), (5, "firing")]),  # it does not expire
        (
            ".q.qbq." + "." * 14,
            "alert",
            [(2, "pending"), (3, "dropped"), (4, "pending"), (6, "firing"), (21, "resolved")],
        ),
        ("bbb" + "." * 14 + "q" + "." * 15, "alert", [(1, "pending"), (3, "firing"), (33, "resolved")]),
    ],
)  # fmt: skip
def test_without_contacts_a_rule_goes_on_as_it_says(
    flags: str, no_data: NoData, expected: list[tuple[int, str]]
) -> None:
    found = list(run(steps(flags), replace(TIMING, no_data=no_data)))
    assert [(change.at // M, change.to) for change in found] == expected
    assert all(change.silent == (flags[change.at // M - 1] == "q") for change in found)


def test_without_for_it_fires_at_once() -> None:
    assert list(run(steps("b"), Timing(0, M))) == [Transition(M, "firing", M)]


minutes = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 10)), min_size=1, max_size=120)


@given(minutes, st.lists(st.integers(1, 119), max_size=5))
def test_in_pieces_it_is_the_same_as_at_once(counts: list[tuple[int, int]], cuts: list[int]) -> None:
    """An evaluator that is stopped and started decides what one that ran through decides."""
    own = series(*((n, min(k, total), total) for n, (k, total) in enumerate(counts) if total))
    detector = off_objective(OBJECTIVE)
    whole = [c for _, c in transitions([own], (0, len(counts) * M), M, detector, TIMING) if c]
    parts: list[Transition] = []
    standing, begin = Standing(), 0
    for end in sorted({*(cut for cut in cuts if cut < len(counts)), len(counts)}):
        for now, change in transitions([own], (begin * M, end * M), M, detector, TIMING, standing):
            standing = now
            parts += [change] if change else []
        begin = end
    assert parts == whole
