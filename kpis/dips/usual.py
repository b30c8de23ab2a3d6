"""What is usual for a queue: where its own bad hours are worse than the objective, a dip is below these.

An objective of 80 % says nothing new about a queue that answers 56 % in time every day: it would page daily.
"""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

from kpis.dips.critical import CriticalCounts
from kpis.dips.detector import Parts
from kpis.dips.ladder import Look, Objective, Series, beyond, counts_of, is_off_now, look
from schemas.time_units import DAY_MS, HOUR_MS

HISTORY_MS = 28 * DAY_MS
# Contacts that make a stretch, and stretches that make a history. What comes next is below the worst of ten
# one time in eleven, below the worst of thirty one in 31.
CONTACTS_MIN, STRETCHES_MIN = 20, 30
BAD_HOURS = Fraction(2, 100)  # so many of them are below what is usual


def usual_target(hours: Series, at: int, objective: Objective) -> Fraction | None:
    """What a queue is judged by at a time; None while too little is known of it.

    That is the same all day, by the days before; in the first days by the hours before. While not even these
    are enough, the objective holds for a queue that has met it so far: it is unknown what others are used to.
    """
    day, hour = at - at % DAY_MS, at - at % HOUR_MS
    if day not in hours.memo:
        hours.memo[day] = of_bad_hours(stretches(hours, day, day), objective)
    if hours.memo[day] is not None:
        return hours.memo[day]
    key = -hour - 1  # a day begins with an hour
    if key not in hours.memo:
        found = of_bad_hours(stretches(hours, day, hour), objective)
        good, n = hours.since(day - HISTORY_MS, hour)
        met = n >= CONTACTS_MIN and not beyond(good, n, objective.target, objective.below)
        hours.memo[key] = objective.target if found is None and met else found
    return hours.memo[key]


def of_bad_hours(shares: list[Fraction], objective: Objective) -> Fraction | None:
    """The objective's target, or the level of bad hours if that is worse; None where too few are known.

    Rounded to a whole percent towards the bad, so that few tables of critical counts are needed.
    """
    if len(shares) < STRETCHES_MIN:
        return None
    shares.sort(reverse=not objective.below)
    bad = shares[int(BAD_HOURS * len(shares))]
    percent = math.floor(bad * 100) if objective.below else math.ceil(bad * 100)
    own = min(max(Fraction(percent, 100), Fraction(1, 100)), Fraction(99, 100))
    return min(own, objective.target) if objective.below else max(own, objective.target)


def stretches(hours: Series, day: int, until: int) -> list[Fraction]:
    """Shares of the weeks before a day and until a time: hours, together where too few called in one."""
    found: list[Fraction] = []
    good = counted = 0
    for index, hour in enumerate(hours.minutes):
        if not day - HISTORY_MS <= hour < until:
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
    _known: dict[Fraction | None, tuple[Objective, CriticalCounts]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The longest window."""
        return [(begin - self.objective.windows_ms[-1], end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Has nobody called within the shortest window?"""
        return parts[0].first(at - self.objective.windows_ms[0], at) is None

    def came(self, parts: Parts, at: int) -> bool:
        """Within the longest window."""
        return parts[0].first(at - self.objective.windows_ms[-1], at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Are the newest contacts on target?"""
        return not is_off_now(parts[0], at, restart, self._judged_by(parts[1], at)[0])

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """By the exact binomial test against what is wanted, or usual."""
        return look(parts[0], at, restart, *self._judged_by(parts[1], at))

    def _judged_by(self, hours: Series, at: int) -> tuple[Objective, CriticalCounts]:
        """The objective of a time, and its table."""
        target = usual_target(hours, at, self.objective)
        if target not in self._known:
            # Of what is not known nothing is too few; whether something is over, the objective says.
            own = self.objective if target is None else replace(self.objective, target=target)
            self._known[target] = own, counts_of(own if target else replace(own, p_value=Fraction(0)))
        return self._known[target]


def hours_of(begin: int, end: int) -> tuple[int, int]:
    """Which hours are wanted for the steps of (begin, end]: those of the weeks before, up to the last one."""
    return begin - begin % DAY_MS - HISTORY_MS, end - end % HOUR_MS
