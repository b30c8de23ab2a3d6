"""Times of week and year by name, in Alertmanager's words: when a route is muted, or tells at all."""

import calendar
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from alerts.words import Closed

Span = tuple[int, int]  # both included
MONTHS = tuple(name.lower() for name in calendar.month_name)[1:]
# Sunday is the first day there: a span that goes on after Saturday is written as two.
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MINUTES_OF_DAY = 1_440
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
A_SPAN = "write one in quotes, such as {0}, or from and to: {1}"


def known_zone(name: str) -> str:
    """A zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone {name}; write one such as Europe/Rome") from None
    return name


def minute_of_day(given: object) -> int:
    """Minutes since midnight of a time such as 07:30; YAML itself makes 1,260 of 21:00 without quotes."""
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MINUTES_OF_DAY:
        return given
    if not isinstance(given, str) or CLOCK.fullmatch(given) is None:
        raise ValueError("write a time such as '07:30'")
    hours, minutes = given.split(":")
    return 60 * int(hours) + int(minutes)


def span_of(given: object, names: tuple[str, ...], first: int, how: str) -> Span:
    """From and to, or one alone, of names or numbers. Raises ValueError with `how` to write it."""
    parts = str(given).lower().split(":") if not isinstance(given, bool) else []
    try:
        found = [names.index(part) + first if part in names else int(part) for part in parts]
        begin, end = found if len(found) == 2 else found * 2
    except ValueError:
        raise ValueError(how) from None
    return begin, end


def within(span: Span, lowest: int, highest: int, how: str) -> Span:
    """A span that lies there and ends after it begins."""
    if not lowest <= span[0] <= span[1] <= highest:
        raise ValueError(how)
    return span


def weekday_span(given: object) -> Span:
    """Days of the week, 0 for Sunday."""
    how = A_SPAN.format("saturday", "'monday:friday'; the week begins with sunday")
    if str(given).strip("-0123456789:") == "":
        raise ValueError(how)
    return within(span_of(given, WEEKDAYS, 0, how), 0, 6, how)


def month_span(given: object) -> Span:
    """Months, 1 for January."""
    how = A_SPAN.format("december", "'january:march'")
    return within(span_of(given, MONTHS, 1, how), 1, 12, how)


def year_span(given: object) -> Span:
    """Years."""
    how = A_SPAN.format("'2026'", "'2026:2028'")
    return within(span_of(given, (), 0, how), 1, 9_999, how)


def day_span(given: object) -> Span:
    """Days from the first on, or, below 0, from the last one back."""
    how = A_SPAN.format("'24'", "'1:5', or '-3:-1' for the last three days")
    begin, end = span_of(given, (), 0, how)
    if 0 in (begin, end) or begin < 0 < end:
        raise ValueError(how)
    within((in_month(begin, 31), in_month(end, 31)), 1, 31, how)
    return begin, end


def in_month(day: int, days: int) -> int:
    """A day of a month of so many days, where below 0 is counted from its end."""
    return day if day > 0 else days + 1 + day


def text_schema(*examples: str) -> WithJsonSchema:
    """Text in the file, such as these."""
    return WithJsonSchema({"type": ["string", "integer"], "examples": [*examples]})


Minute = Annotated[int, BeforeValidator(minute_of_day), text_schema("07:30")]
Spans = Field(max_length=50)


class Times(Closed):
    """Hours of a day, the end excluded."""

    start_time: Minute
    end_time: Minute

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Times":
        if self.start_time >= self.end_time:
            raise ValueError("it ends before it begins; write a night as two: to 24:00, and from 00:00 on")
        return self


class TimeInterval(Closed):
    """Times at which all that is said holds; what is not said may be anything."""

    times: Annotated[tuple[Times, ...], Spans] = ()
    weekdays: Annotated[
        tuple[Annotated[Span, BeforeValidator(weekday_span), text_schema("monday:friday")], ...], Spans
    ] = ()
    days_of_month: Annotated[
        tuple[Annotated[Span, BeforeValidator(day_span), text_schema("1:5", "-1")], ...], Spans
    ] = ()
    months: Annotated[
        tuple[Annotated[Span, BeforeValidator(month_span), text_schema("december")], ...], Spans
    ] = ()
    years: Annotated[
        tuple[Annotated[Span, BeforeValidator(year_span), text_schema("2026:2028")], ...], Spans
    ] = ()
    location: Annotated[str, AfterValidator(known_zone)] = "UTC"

    @model_validator(mode="after")
    def _says_when(self) -> "TimeInterval":
        if not (self.times or self.weekdays or self.days_of_month or self.months or self.years):
            raise ValueError("say when: times, weekdays, days_of_month, months or years")
        return self

    def holds(self, now: int) -> bool:
        """Is it such a time? `now` is UTC ms."""
        local = datetime.fromtimestamp(now / 1000, ZoneInfo(self.location))
        days = calendar.monthrange(local.year, local.month)[1]
        minute = 60 * local.hour + local.minute
        return (
            (not self.times or any(each.start_time <= minute < each.end_time for each in self.times))
            and is_in(local.isoweekday() % 7, self.weekdays)
            and is_in(local.month, self.months)
            and is_in(local.year, self.years)
            and is_in(local.day, [(in_month(a, days), in_month(b, days)) for a, b in self.days_of_month])
        )


def is_in(number: int, spans: Iterable[Span]) -> bool:
    """Is it in one of the spans? Where there are none, anything is."""
    spans = tuple(spans)
    return not spans or any(begin <= number <= end for begin, end in spans)


Name = Annotated[str, Field(min_length=1, max_length=100)]


class NamedTimes(Closed):
    """Times by name: any of the intervals."""

    name: Name
    time_intervals: Annotated[tuple[TimeInterval, ...], Field(min_length=1, max_length=50)]


Intervals = Mapping[str, NamedTimes]


def hold(intervals: Intervals, names: Iterable[str], now: int) -> bool:
    """Is it one of these times? A name that is not known is no time."""
    return any(
        each.holds(now) for name in names if name in intervals for each in intervals[name].time_intervals
    )
