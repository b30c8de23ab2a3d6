"""Nobody comes where many should: an adapter or a line is down."""

from bisect import bisect_left
from dataclasses import dataclass

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look, Series
from kpis.dips.weeks import Weeks
from schemas.time_units import MINUTE_MS


def last_before(series: Series, at: int, reach: int) -> int:
    """End of the last minute before `at` in which somebody came; at most `reach` ago."""
    place = bisect_left(series.minutes, at)
    return max(series.minutes[place - 1] + MINUTE_MS if place else 0, at - reach)


@dataclass(frozen=True, slots=True)
class Starved:
    """`type: absence`: in the same hours of earlier weeks more than `expected` came, and now nobody.

    The mean over weeks is not divided: its sum is compared with `expected` times their number.
    """

    weeks: Weeks
    expected: int
    reach_ms: int

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The same hours of all weeks."""
        return self.weeks.spans(begin, end, self.reach_ms)

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """On a holiday, and where nobody is expected anyway, there is nothing to say."""
        silent_for = at - last_before(parts[0], at, self.reach_ms)
        return self.weeks.is_holiday(at) or (
            silent_for >= self.reach_ms and self._missing(parts[0], at)[1] == 0
        )

    def came(self, parts: Parts, at: int) -> bool:
        """It is about those who came in earlier weeks."""
        return True

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Only a look can tell."""
        return False

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """How many were to be expected since the last one."""
        missing, weeks = self._missing(parts[0], at)
        silent_for = at - last_before(parts[0], at, self.reach_ms)
        off = weeks >= self.weeks.at_least and missing > self.expected * weeks
        return Look(0, silent_for if off else 0, 0, missing // weeks if weeks else 0, off)

    def _missing(self, series: Series, at: int) -> tuple[int, int]:
        """Who came in earlier weeks while nobody comes now, summed up, and the number of weeks."""
        gap = at - last_before(series, at, self.reach_ms)
        ends, first = self.weeks.known_ends(at, series, self.reach_ms)
        known = [end for end in ends if end > first]
        return sum(series.since(end - gap, end)[1] for end in known), len(known)
