"""Reporting periods in a local time zone, as instants.

ClickHouse's own functions get some local days and hours wrong (its issues 70311 and 119969), so shifts of
the clock are found here, by tzdata, and SQL only looks them up. Every instant is in exactly one period. An
hour (or half, quarter, minute) begins where the local clock shows a full one, or is shifted; a day begins at
the first instant of its date, and thus has 23, 23.5, 24.5 or 25 hours now and then; weeks begin on Monday.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from schemas.clock_shifts import shift_between, shifts
from schemas.time_units import DAY_MS, MINUTE_MS

EVERY = ("1m", "15m", "30m", "1h", "1d", "1w", "1M", "all")
SHORT_MS = {"1m": MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS, "1h": 60 * MINUTE_MS}
# No period of the kind is longer.
LONGEST_MS = SHORT_MS | {"1d": 2 * DAY_MS, "1w": 9 * DAY_MS, "1M": 33 * DAY_MS}


def first_instant(day: date, zone: tzinfo) -> int:
    """When the local date begins: at midnight, or at the shift of the clock that leaves midnight out."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = round(midnight.timestamp()) * 1000
    if datetime.fromtimestamp(instant // 1000, zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    return shift_between(instant - DAY_MS, instant, zone)


def period_dates(first: date, every: str) -> Iterator[date]:
    """First days of periods of days, weeks or months, from the one that holds `first` on."""
    if every == "1w":
        first -= timedelta(days=first.weekday())
    elif every == "1M":
        first = first.replace(day=1)
    while True:
        yield first
        if every == "1M":
            first = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        else:
            first += timedelta(days=7 if every == "1w" else 1)


def edges(from_ms: int, to_ms: int, every: str, zone: tzinfo) -> list[int]:
    """Begin of each period that meets [from_ms, to_ms), and the end of the last, cut to that range."""
    inner: set[int] = set()
    if every in SHORT_MS:
        length = SHORT_MS[every]
        known = shifts(from_ms, to_ms, zone)
        for index, (begin, offset) in enumerate(known):
            end = known[index + 1][0] if index + 1 < len(known) else to_ms
            first_full = -(-(begin + offset) // length) * length - offset
            inner.update((begin, *range(first_full, end, length)))
    elif every != "all":
        local = datetime.fromtimestamp(from_ms // 1000, UTC).astimezone(zone)
        for day in period_dates(local.date(), every):
            instant = first_instant(day, zone)
            if instant >= to_ms:
                break
            inner.add(instant)
    return [from_ms, *sorted(edge for edge in inner if from_ms < edge < to_ms), to_ms]


def period_of(instant_ms: int, every: str, zone: tzinfo) -> tuple[int, int]:
    """Begin and end of the period that holds an instant, uncut. Raises ValueError."""
    if every not in LONGEST_MS:
        raise ValueError(f"no period {every!r}; one of {', '.join(LONGEST_MS)}")
    reach = 2 * LONGEST_MS[every]
    found = edges(instant_ms - reach, instant_ms + reach, every, zone)
    place = bisect_right(found, instant_ms)
    return found[place - 1], found[place]


@dataclass(frozen=True, slots=True)
class Periods:
    """How SQL finds the period of `minute_ms`: expressions of its begin and, from that, its end."""

    start: str
    end: str
    parameters: dict[str, object]


def by_edges(from_ms: int, to_ms: int, every: str, zone: tzinfo) -> Periods:
    """Days and longer: few enough to be listed."""
    listed = edges(from_ms, to_ms, every, zone)
    return Periods(
        start="roundDown(minute_ms, {starts:Array(Int64)})",
        end="transform(start_ms, {starts:Array(Int64)}, {ends:Array(Int64)}, 0)",
        parameters={"starts": listed[:-1], "ends": listed[1:]},
    )


def by_shifts(from_ms: int, to_ms: int, every: str, zone: tzinfo) -> Periods:
    """Hours and shorter: too many to be listed, so rounded by the offset in force."""
    known = shifts(from_ms, to_ms, zone)
    instants = [instant for instant, _ in known]

    def floor(column: str) -> str:
        shift = f"roundDown({column}, {{shifts:Array(Int64)}})"
        offset = f"transform({shift}, {{shifts:Array(Int64)}}, {{offsets:Array(Int64)}}, toInt64(0))"
        return f"intDiv({column} + {offset}, {SHORT_MS[every]}) * {SHORT_MS[every]} - {offset}"

    next_shift = (
        "transform(roundDown(start_ms, {shifts:Array(Int64)}), {shifts:Array(Int64)}, "
        "{next_shifts:Array(Int64)}, toInt64(0))"
    )
    return Periods(
        start=f"greatest({floor('minute_ms')}, roundDown(minute_ms, {{shifts:Array(Int64)}}))",
        end=f"least({floor('start_ms')} + {SHORT_MS[every]}, {next_shift})",
        parameters={
            "shifts": instants,
            "offsets": [offset for _, offset in known],
            "next_shifts": [*instants[1:], to_ms],
        },
    )


def periods(from_ms: int, to_ms: int, every: str, zone: tzinfo) -> Periods:
    """Periods of [from_ms, to_ms), whole minutes; first and last are cut to that range. Raises ValueError."""
    if every not in EVERY:
        raise ValueError(f"unknown period {every!r}; one of {', '.join(EVERY)}")
    if from_ms % MINUTE_MS or to_ms % MINUTE_MS or from_ms >= to_ms:
        raise ValueError("a range begins and ends at a whole minute, and begins before it ends")
    found = (by_shifts if every in SHORT_MS else by_edges)(from_ms, to_ms, every, zone)
    return Periods(found.start, found.end, found.parameters | {"from_ms": from_ms, "to_ms": to_ms})
