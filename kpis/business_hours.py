"""Business hours: how much of a span of time lay within the hours in which a queue is served.

An instant is within them if the clock of the calendar's zone shows a time of the hours of its date. So an
hour that the clock shows twice in autumn is served twice, and one that is left out in spring is not.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from schemas.clock_shifts import shifts
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.time_units import DAY_MS

THURSDAY = 3  # 1970-01-01, counted from Monday
Hours = tuple[tuple[int, int], ...]  # spans of a day, in milliseconds since midnight: apart and in order


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a queue is served: hours by weekday, Monday first, and days that have others or none."""

    zone: str
    week: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    days: tuple[tuple[int, Hours], ...] = ()  # a date as days since 1970, and its hours: () for a holiday


@cache
def stretches(zone: str) -> tuple[tuple[int, int, int], ...]:
    """Begin and end of each time in which a clock was not shifted, and local minus UTC in it."""
    known = shifts(OCCURRED_AT_MIN, OCCURRED_AT_MAX, ZoneInfo(zone))
    return tuple(
        (begin, end, offset) for (begin, offset), (end, _) in pairwise([*known, (OCCURRED_AT_MAX, 0)])
    )


def open_spans(calendar: Calendar) -> Iterator[tuple[int, int]]:
    """Every span of served time in which an event can happen, in UTC, in order."""
    own = dict(calendar.days)
    for begin, end, offset in stretches(calendar.zone):
        for day in range((begin + offset) // DAY_MS, (end + offset - 1) // DAY_MS + 1):
            for opens, closes in own.get(day, calendar.week[(day + THURSDAY) % 7]):
                midnight = day * DAY_MS - offset
                span = max(midnight + opens, begin), min(midnight + closes, end)
                if span[0] < span[1]:
                    yield span


@cache
def timetable(calendar: Calendar) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """The spans, their begins, and how much is served before each. Dear: some tenths of a second, once."""
    spans = [*open_spans(calendar)]
    served, before = 0, []
    for begin, end in spans:
        before.append(served)
        served += end - begin
    return spans, [begin for begin, _ in spans], before


def served_until(calendar: Calendar, at: int) -> int:
    """Milliseconds served before an instant, since events are known."""
    spans, begins, before = timetable(calendar)
    place = bisect_right(begins, at) - 1
    if place < 0:
        return 0
    begin, end = spans[place]
    return before[place] + min(at, end) - begin


def business_ms(calendar: Calendar | None, begin: int, end: int) -> int:
    """How much of [begin, end) is within the hours; all of it where there is no calendar."""
    if calendar is None:
        return end - begin
    return served_until(calendar, end) - served_until(calendar, begin)
