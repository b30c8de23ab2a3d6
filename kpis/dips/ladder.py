"""An objective over a ladder of windows: is the KPI now off target by more than chance?

Short windows see a deep dip soon, long ones a shallow one at all (docs/guide/alerts.md has the measurements).
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

from kpis.dips.critical import CriticalCounts
from schemas.time_units import MINUTE_MS


@dataclass(frozen=True, slots=True)
class Objective:
    """What is wanted: a share of contacts at or beyond a target. Windows are milliseconds, shortest first."""

    target: Fraction
    below: bool  # a dip of a share that is to be high; else a rise of one that is to be low
    p_value: Fraction
    windows_ms: tuple[int, ...]
    min_samples: int
    fresh_min: int
    slack: Fraction = Fraction(
        0
    )  # what is off is so against a target so much worse, in log odds; from 0 to 1


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a moment found. `window_ms` is the shortest window that is off, 0 where none is."""

    counted: int  # in the longest window
    window_ms: int
    successes: int
    n: int
    fresh_off: bool  # are the newest contacts themselves off target?

    @property
    def breach(self) -> bool:
        """Off target by more than chance, and still so."""
        return self.window_ms > 0 and self.fresh_off


@dataclass(slots=True)
class Series:
    """Counts of one label set by minute, as running sums, so that windows are differences.

    There are minutes in which something was counted, and no others.
    """

    minutes: list[int] = field(default_factory=list)  # begin of the minute, ms, ascending
    successes: list[int] = field(default_factory=lambda: [0])
    counted: list[int] = field(default_factory=lambda: [0])
    # What was derived of it by whoever looks at it.
    memo: dict[int, Fraction | None] = field(default_factory=dict, compare=False, repr=False)

    def add(self, minute: int, successes: int, n: int) -> None:
        """Counts of the next minute."""
        self.minutes.append(minute)
        self.successes.append(self.successes[-1] + successes)
        self.counted.append(self.counted[-1] + n)

    def truncate(self, keep: int) -> None:
        """Forget all but the first so many minutes."""
        del self.minutes[keep:], self.successes[keep + 1 :], self.counted[keep + 1 :]

    def since(self, begin: int, end: int) -> tuple[int, int]:
        """(successes, counted) of the minutes that begin in [begin, end)."""
        low, high = bisect_right(self.minutes, begin - 1), bisect_right(self.minutes, end - 1)
        return self.successes[high] - self.successes[low], self.counted[high] - self.counted[low]

    def first(self, begin: int, end: int) -> int | None:
        """The first minute in [begin, end) with anybody in it."""
        place = bisect_right(self.minutes, begin - 1)
        return self.minutes[place] if place < len(self.minutes) and self.minutes[place] < end else None

    def newest(self, least: int, begin: int, end: int) -> tuple[int, int]:
        """Counts of the shortest stretch of minutes that ends at `end` and holds `least` contacts."""
        low, high = bisect_right(self.minutes, begin - 1), bisect_right(self.minutes, end - 1)
        first = bisect_right(self.counted, self.counted[high] - least, low, high + 1) - 1
        first = max(first, low)
        return self.successes[high] - self.successes[first], self.counted[high] - self.counted[first]


def beyond(num: int, den: int, limit: Fraction, below: bool) -> bool:
    """Is num / den beyond the limit, chance or not? In whole numbers."""
    got, wanted = num * limit.denominator, den * limit.numerator
    return got < wanted if below else got > wanted


def counts_of(objective: Objective) -> CriticalCounts:
    """The table of an objective. A rise of successes is a dip of the others.

    A level wanders by itself, more than counts of a large queue do by chance: `slack` leaves it room. To move
    by s in log odds is to move a share T by s T (1 - T): little near 0 and 1, and never as far as these.
    """
    target = objective.target if objective.below else 1 - objective.target
    return CriticalCounts(target - objective.slack * target * (1 - target), objective.p_value)


def is_off_now(series: Series, at: int, restart: int, objective: Objective) -> bool:
    """Are the newest contacts themselves off target?"""
    begin = max(at - objective.windows_ms[-1], restart)
    fresh, n = series.newest(objective.fresh_min, begin, at)
    return n >= objective.fresh_min and beyond(fresh, n, objective.target, objective.below)


def look(series: Series, at: int, restart: int, objective: Objective, counts: CriticalCounts) -> Look:
    """The KPI as it is at `at` (ms, end of a minute); nothing before `restart` counts any more."""
    fresh_off = is_off_now(series, at, restart, objective)
    counted, high = 0, bisect_right(series.minutes, at - 1)
    low, all_good, all_counted = high, series.successes[high], series.counted[high]
    for window in objective.windows_ms:
        low = bisect_right(series.minutes, max(at - window, restart) - 1, 0, low)  # it was no earlier before
        successes, counted = all_good - series.successes[low], all_counted - series.counted[low]
        wins = successes if objective.below else counted - successes
        if counted >= objective.min_samples and counts.too_few(wins, counted):
            return Look(counted, window, successes, counted, fresh_off)
        if at - window <= restart - MINUTE_MS:
            break  # longer windows hold no more
    return Look(counted, 0, 0, counted, fresh_off)
