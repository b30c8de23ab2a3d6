"""Times and numbers of the call log, from text. Each raises InvalidInput, naming column and shape."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from adapters.kit.outcomes import InvalidInput
from schemas.shape import quoted

ZONE = ZoneInfo("Asia/Jerusalem")
DAY_S = 86_400
HALF_DAY_S = DAY_S // 2
# A call has no wait or service longer than this; more is a broken row, not a patient customer.
DURATION_MAX_S = 7 * DAY_S
CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)
NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


def to_number(column: str, text: str) -> int:
    """A duration in seconds, not negative."""
    number = int(text) if NUMBER.fullmatch(text) else None
    if number is None or not 0 <= number <= DURATION_MAX_S:
        raise InvalidInput(
            "bad_number", f"{column} is {quoted(text)}, expected 0 to {DURATION_MAX_S} seconds"
        )
    return number


def to_seconds(column: str, text: str) -> int:
    """A time of day as seconds since midnight."""
    found = CLOCK.fullmatch(text)
    hours, minutes, seconds = map(int, found.groups()) if found else (99, 0, 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise InvalidInput("bad_time", f"{column} is {quoted(text)}, expected h:mm:ss")
    return hours * 3600 + minutes * 60 + seconds


@lru_cache(maxsize=1024)
def to_date(text: str) -> date:
    """A day written yymmdd; the log is of 1999, years below 69 are of this century."""
    try:
        return datetime.strptime(text, "%y%m%d").date()
    except ValueError:
        raise InvalidInput("bad_date", f"date is {quoted(text)}, expected yymmdd") from None


@lru_cache(maxsize=4096)
def hour_ms(day: date, hour: int) -> int:
    """UTC milliseconds at which a local hour begins; clocks are set on full hours."""
    local = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE, fold=0)
    return int(local.astimezone(UTC).timestamp()) * 1000


def utc_ms(day: date, second: int) -> int:
    """UTC milliseconds of a local time of day; a second outside the day is on the day before or after."""
    days, second = divmod(second, DAY_S)
    return hour_ms(day + timedelta(days=days), second // 3600) + second % 3600 * 1000


def call_times(day: date, entry: int, other: int) -> tuple[int, int]:
    """UTC milliseconds of the IVR entry and of another time of the same call.

    `day` is that of the entry. The other time is within half a day of it: one much earlier is after midnight,
    one much later before it (the clocks of IVR and queue disagree by up to minutes, so a call can be queued
    before it was answered by the IVR; that is kept as it is).
    """
    if other < entry - HALF_DAY_S:
        other += DAY_S
    elif other > entry + HALF_DAY_S:
        other -= DAY_S
    return utc_ms(day, entry), utc_ms(day, other)
