"""Times, durations and numbers of payloads, in the units that a mapping declares."""

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import EPOCH, MILLISECOND
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN

# Milliseconds of one, as numerator and denominator: whole numbers stay exact.
UNITS = {
    "ns": (1, 1_000_000),
    "us": (1, 1_000),
    "ms": (1, 1),
    "s": (1_000, 1),
    "min": (60_000, 1),
    "h": (3_600_000, 1),
}
ISO = "iso"
DIGITS_MAX = 30


def zone_of(name: str | None) -> ZoneInfo | None:
    """The time zone of that name. Raises InvalidInput where there is none."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput("bad_time", "the zone is none that is known, such as Europe/Berlin") from None


def local(at_ms: int, zone: ZoneInfo | None) -> datetime:
    """A time as the clocks of a zone show it."""
    return (EPOCH + at_ms * MILLISECOND).astimezone(zone or UTC)


def number_of(value: Any) -> int | float | None:
    """A number, or the one that a text is; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text or len(text) > DIGITS_MAX or not text.isascii() or "_" in text:
            return None
        try:
            value = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float) else None


def milliseconds(value: Any, unit: str) -> int | None:
    """A number in a unit as whole milliseconds, halves up; None where it is none."""
    number = number_of(value)
    if number is None:
        return None
    times, by = UNITS[unit]
    if isinstance(number, int):
        return (number * times * 2 + by) // (2 * by)
    return math.floor(number * times / by + 0.5)


def time_ms(value: Any, unit: str, zone: ZoneInfo | None) -> int | None:
    """A time in UTC milliseconds; None for none, and for one before 1990: systems write that for never.

    `unit` is one of UNITS, `iso`, or a form of strptime. Raises InvalidInput.
    """
    if value is None or value == "":
        return None
    found = milliseconds(value, unit) if unit in UNITS else from_text(value, unit, zone)
    if found is None or found >= OCCURRED_AT_MAX:
        raise InvalidInput("bad_time", f"a time is none in the unit {unit}")
    return found if found >= OCCURRED_AT_MIN else None


def from_text(value: Any, form: str, zone: ZoneInfo | None) -> int | None:
    """A time that is written out; finer digits than milliseconds are cut off. Raises InvalidInput."""
    if not isinstance(value, str):
        return None
    text = value.strip().removesuffix(" UTC") + ("+00:00" if value.endswith(" UTC") else "")
    try:
        found = datetime.fromisoformat(text) if form == ISO else datetime.strptime(value.strip(), form)
    except ValueError:
        return None
    if found.tzinfo is None:
        if zone is None:
            raise InvalidInput("bad_time", "a time has no offset from UTC, and the mapping names no zone")
        found = found.replace(tzinfo=zone)
    try:
        return (found - EPOCH) // MILLISECOND
    except OverflowError:
        return None
