"""Is a queue in trouble? From the numbers of this moment, its targets and the alerts that fire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from kpis.dips.critical import CriticalCounts
from wallboard.config import Targets

State = Literal["trouble", "watch", "fine", "quiet"]
# How improbable, were the queue on target, so few contacts in time must be: as alerts page, and as a hint.
TROUBLE_P, WATCH_P = Fraction(1, 1000), Fraction(1, 20)
LONGEST_N = 5_000  # beyond it the share alone decides: chance is small there, and the tables would be long


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a queue is not fine: which number, how it stands and what was wanted."""

    code: Literal["alert", "service_level", "longest_wait", "abandonment_rate"]
    trouble: bool
    value: float
    target: float
    text: str = ""


@lru_cache(maxsize=200)
def table(target: Fraction, p_value: Fraction) -> CriticalCounts:
    """Of the shares that are wanted there are few."""
    return CriticalCounts(target, p_value)


def few(n: int, share: float, p_value: Fraction) -> int:
    """The greatest number of successes among n that is too few for the share wanted."""
    target = Fraction(share).limit_denominator(10_000)
    if target <= 0:
        return -1
    if target >= 1:
        return n - 1
    return table(target, p_value).of(n)


def too_few(successes: int, n: int, share: float, p_value: Fraction) -> bool:
    """Is it more than bad luck?"""
    if n == 0:
        return False
    if n > LONGEST_N:
        return successes < share * n
    return successes <= few(n, share, p_value)


def service_level_reason(successes: int, n: int, target: float | None) -> Reason | None:
    """The service level of the last half-hour, those who wait beyond the threshold included."""
    if target is None or not too_few(successes, n, target, WATCH_P):
        return None
    trouble = too_few(successes, n, target, TROUBLE_P)
    return Reason("service_level", trouble, successes / n, target)


def reasons(
    live: Mapping[str, int], day: Mapping[str, Sequence[int]], targets: Targets, alerts: Sequence[str]
) -> list[Reason]:
    """What is wrong with a queue, the worst first. `day` has numerator and denominator by KPI."""
    found = [Reason("alert", True, 0, 0, name) for name in alerts]
    level = service_level_reason(live.get("live_in_target", 0), live.get("live_n", 0), targets.service_level)
    if level:
        found.append(level)
    wait_s, limit = live.get("oldest_ms", 0) / 1000, targets.longest_wait_s
    if limit is not None and wait_s > limit:
        found.append(Reason("longest_wait", wait_s > 2 * limit, wait_s, limit))
    lost, n = (day.get("abandonment_rate") or (0, 0))[:2]
    limit = targets.abandonment_rate
    if limit is not None and too_few(n - lost, n, 1 - limit, TROUBLE_P):
        found.append(Reason("abandonment_rate", False, lost / n, limit))
    return sorted(found, key=lambda reason: not reason.trouble)


def state_of(found: Sequence[Reason], busy: bool) -> State:
    """In one word; quiet where nothing has happened today."""
    if not found:
        return "fine" if busy else "quiet"
    return "trouble" if found[0].trouble else "watch"
