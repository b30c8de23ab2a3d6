"""When a queue is in trouble: not by a percentage alone, but by how many contacts it is of."""

from hypothesis import given
from hypothesis import strategies as st

from wallboard.config import Targets
from wallboard.judging import TROUBLE_P, WATCH_P, Reason, reasons, state_of, too_few

TARGETS = Targets(service_level=0.8, abandonment_rate=0.05, longest_wait_s=60)


def codes(found: list[Reason]) -> list[tuple[str, bool]]:
    return [(reason.code, reason.trouble) for reason in found]


def live(hit: int, n: int, oldest_ms: int = 0) -> dict[str, int]:
    return {"live_in_target": hit, "live_n": n, "oldest_ms": oldest_ms}


def test_few_contacts_are_no_trouble_and_many_are() -> None:
    assert reasons(live(1, 2), {}, TARGETS, ()) == []
    assert codes(reasons(live(10, 20), {}, TARGETS, ())) == [("service_level", False)]  # 0.3 % by chance
    assert codes(reasons(live(50, 100), {}, TARGETS, ())) == [("service_level", True)]


def test_a_long_wait_is_watched_and_twice_as_long_is_trouble() -> None:
    assert reasons(live(0, 0, 60_000), {}, TARGETS, ()) == []
    assert codes(reasons(live(0, 0, 61_000), {}, TARGETS, ())) == [("longest_wait", False)]
    assert codes(reasons(live(0, 0, 121_000), {}, TARGETS, ())) == [("longest_wait", True)]


def test_an_alert_is_trouble_and_stands_first() -> None:
    found = reasons(live(50, 100), {"abandonment_rate": (40, 100)}, TARGETS, ("Dip",))
    assert codes(found) == [("alert", True), ("service_level", True), ("abandonment_rate", False)]
    assert state_of(found, True) == "trouble"


def test_without_targets_nothing_is_judged() -> None:
    assert reasons(live(0, 100, 10**7), {"abandonment_rate": (90, 100)}, Targets(), ()) == []


def test_no_contact_today_is_quiet() -> None:
    assert (state_of([], False), state_of([], True)) == ("quiet", "fine")


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([0.0, 0.5, 0.8, 0.95, 1.0]))
def test_more_successes_never_make_it_worse(successes: int, more: int, share: float) -> None:
    n = 400
    better = min(successes + more, n)
    for p_value in (TROUBLE_P, WATCH_P):
        assert too_few(successes, n, share, p_value) or not too_few(better, n, share, p_value)
    assert too_few(successes, n, share, WATCH_P) or not too_few(successes, n, share, TROUBLE_P)
