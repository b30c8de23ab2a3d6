"""What is usual for a queue: where its own bad hours are worse than the objective, a dip is below these.

An objective of 80 % says nothing new about a queue that answers 56 % in time every day: it would page daily.
"""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

from kpis.dips.critical import CriticalCounts
from kpis.dips.detector import Parts
from kpis.dips.ladder import Look, Objective, Series, counts_of, is_off_now, look
from schemas.time_units import DAY_MS

HISTORY_MS = 28 * DAY_MS
CONTACTS_MIN, STRETCHES_MIN = 20, 10  # contacts that make a stretch, and stretches that make a history
BAD_HOURS = Fraction(2, 100)  # so many of them are below what is usual


def usual_target(hours: Series, day: int, objective: Objective) -> Fraction:
    """The target on a day: the objective's, or the level of bad hours of the weeks before if that is worse.

    Rounded to a whole percent towards the bad, so that few tables of critical counts are needed.
    """
    shares = stretches(hours, day)
    if len(shares) < STRETCHES_MIN:
        return objective.target
    shares.sort(reverse=not objective.below)
    bad = shares[int(BAD_HOURS * len(shares))]
    percent = math.floor(bad * 100) if objective.below else math.ceil(bad * 100)
    own = min(max(Fraction(percent, 100), Fraction(1, 100)), Fraction(99, 100))
    return min(own, objective.target) if objective.below else max(own, objective.target)


def stretches(hours: Series, day: int) -> list[Fraction]:
    """Shares of the weeks before a day: hour by hour, and of hours together where too few called in one."""
    found: list[Fraction] = []
    good = counted = 0
    for index, hour in enumerate(hours.minutes):
        if not day - HISTORY_MS <= hour < day:
            continue
        good += hours.successes[index + 1] - hours.successes[index]
        counted += hours.counted[index + 1] - hours.counted[index]
        if counted >= CONTACTS_MIN:
            found.append(Fraction(good, counted))
            good = counted = 0
    return found


@dataclass(frozen=True, slots=True)
class OffUsual:
    """`type: objective` with `usual: true`. The second part is the same by hours, of the weeks before."""

    objective: Objective
    _known: dict[Fraction, tuple[Objective, CriticalCounts]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The longest window."""
        return [(begin - self.objective.windows_ms[-1], end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Has nobody called within the shortest window?"""
        return parts[0].since(at - self.objective.windows_ms[0], at)[1] == 0

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Are the newest contacts on target?"""
        return not is_off_now(parts[0], at, restart, self._judged_by(parts[1], at)[0])

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """By the exact binomial test against what is wanted, or usual."""
        return look(parts[0], at, restart, *self._judged_by(parts[1], at))

    def _judged_by(self, hours: Series, at: int) -> tuple[Objective, CriticalCounts]:
        """The objective of a day, and its table."""
        day = at - at % DAY_MS
        target = hours.memo.get(day)
        if target is None:
            target = hours.memo[day] = usual_target(hours, day, self.objective)
        if target not in self._known:
            own = replace(self.objective, target=target)
            self._known[target] = own, counts_of(own)
        return self._known[target]


def hours_of(begin: int, end: int) -> tuple[int, int]:
    """Which hours are wanted for the days of (begin, end]: those of the weeks before each, of whole days."""
    return begin - begin % DAY_MS - HISTORY_MS, end - end % DAY_MS
