"""The same time of the week, so many weeks ago, on a local clock; and days that are not like others."""

from bisect import bisect_right
from dataclasses import dataclass

from kpis.business_hours import stretches
from kpis.dips.ladder import Series
from schemas.time_units import DAY_MS

WEEK_MS = 7 * DAY_MS


def local(zone: str, at: int) -> int:
    """What the clock shows, as milliseconds."""
    known = stretches(zone)
    return at + known[max(0, bisect_right(known, at, key=lambda stretch: stretch[0]) - 1)][2]


def weeks_before(zone: str, at: int, weeks: int) -> int:
    """When the clock showed the same time so many weeks ago."""
    before = at - weeks * WEEK_MS
    return before + (local(zone, at) - at) - (local(zone, before) - before)


@dataclass(frozen=True, slots=True)
class Weeks:
    """Weeks to compare with. `holidays` are local dates as days since 1970: not judged, not compared with."""

    zone: str
    number: int
    at_least: int
    holidays: frozenset[int]

    def is_holiday(self, at: int) -> bool:
        """Is it one of the days that are not like others?"""
        return local(self.zone, at - 1) // DAY_MS in self.holidays

    def spans(self, begin: int, end: int, reach: int) -> list[tuple[int, int]]:
        """The minutes of a span and of the weeks before it, `reach` longer at its begin."""
        return [
            (weeks_before(self.zone, begin, week) - reach, weeks_before(self.zone, end, week))
            for week in range(self.number + 1)
        ]

    def known_ends(self, at: int, series: Series, reach: int) -> tuple[list[int], int]:
        """When it was the same time in earlier weeks, without holidays; and when history begins.

        It begins with the first who came in the `reach` before any of these times: what is said must not
        depend on how much more has been read.
        """
        found = [weeks_before(self.zone, at, week) for week in range(1, self.number + 1)]
        firsts = (series.first(end - reach, end) for end in reversed(found))
        first = next((minute for minute in firsts if minute is not None), at)
        return [end for end in found if not self.is_holiday(end)], first
