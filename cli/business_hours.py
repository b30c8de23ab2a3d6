"""Business hours in `ringback.toml`: hours by weekday, holidays, and days with hours of their own."""

import re
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kpis.business_hours import Calendar, Hours
from schemas.time_units import DAY_MS, MINUTE_MS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"(\d{1,2}):(\d\d) *- *(\d{1,2}):(\d\d)")
EPOCH = date(1970, 1, 1)


def known_zone(name: str) -> str:
    """A zone of the IANA database. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}; use one such as Europe/Rome") from error
    return name


def hours_of(text: str) -> Hours:
    """`09:00-13:00, 14:00-18:00` as milliseconds of the day; "" is closed. Raises ValueError."""
    spans = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = SPAN.fullmatch(part)
        if found is None:
            raise ValueError(f"hours {part!r}; write 09:00-17:30, several with commas")
        opens, closes = (
            (int(h) * 60 + int(m)) * MINUTE_MS for h, m in ((found[1], found[2]), (found[3], found[4]))
        )
        if int(found[2]) > 59 or int(found[4]) > 59 or not opens < closes <= DAY_MS:
            raise ValueError(
                f"hours {part!r}; they begin before they end, within one day: for a night write 22:00-24:00 "
                "and on the day after 00:00-06:00"
            )
        spans.append((opens, closes))
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise ValueError(f"hours {text!r} overlap")
    return tuple(spans)


def weekdays_of(text: str) -> list[int]:
    """Numbers of the weekdays of `mon` or `mon-fri`, Monday 0. Raises ValueError."""
    first, _, last = text.partition("-")
    names = (first.strip().lower(), (last or first).strip().lower())
    if any(name not in WEEKDAYS for name in names):
        raise ValueError(f"no weekday {text!r}; write {', '.join(WEEKDAYS)}, or mon-fri")
    begin, end = (WEEKDAYS.index(name) for name in names)
    if end < begin:
        raise ValueError(f"weekdays {text!r}: from the earlier to the later, Monday first")
    return [*range(begin, end + 1)]


class CalendarSettings(BaseModel):
    """When queues are served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str = Field(
        "", description='Zone of its clock, such as `Europe/Rome`; `""`: the reporting time zone.'
    )
    hours: dict[str, str] = Field(
        description='Hours by weekday: `{mon-fri = "09:00-13:00, 14:00-18:00", sat = "09:00-12:00"}`. '
        "A weekday that is not named is closed."
    )
    holidays: tuple[date, ...] = Field((), description='Dates that are closed: `["2026-12-25"]`.')
    days: dict[date, str] = Field(
        {}, description='Dates with hours of their own: `{"2026-12-24" = "09:00-12:00"}`.'
    )

    @field_validator("timezone")
    @classmethod
    def usable_zone(cls, value: str) -> str:
        """Empty or known."""
        return known_zone(value) if value else value

    @model_validator(mode="after")
    def readable(self) -> "CalendarSettings":
        """Every hour and weekday can be read, no weekday and no date stands there twice."""
        self.calendar("UTC")
        return self

    def calendar(self, zone: str) -> Calendar:
        """The calendar, in a zone where it names none. Raises ValueError."""
        week: list[Hours | None] = [None] * 7
        for names, hours in self.hours.items():
            for weekday in weekdays_of(names):
                if week[weekday] is not None:
                    raise ValueError(f"hours: {WEEKDAYS[weekday]} twice")
                week[weekday] = hours_of(hours)
        twice = sorted({*self.holidays} & self.days.keys())
        if twice:
            raise ValueError(f"{twice[0]} is a holiday and has hours of its own: name it once")
        own = {day: hours_of(hours) for day, hours in self.days.items()} | dict.fromkeys(self.holidays, ())
        days = tuple(sorted(((day - EPOCH).days, hours) for day, hours in own.items()))
        return Calendar(self.timezone or zone, tuple(hours or () for hours in week), days)  # type: ignore[arg-type]
