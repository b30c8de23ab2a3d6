"""Times on the command line."""

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from schemas.time_units import MINUTE_MS

# Events are of 1990 to 2100; the tables of ClickHouse go from 1900 to 2299.
FIRST_YEAR, YEAR_END = 1900, 2200


def instant_ms(text: str, zone: str) -> int:
    """UTC milliseconds of an ISO date or time; one without an offset is in the reporting time zone.

    Raises typer.BadParameter for what is no time or no whole minute.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 1999-02-01 or 1999-02-01T09:30+02:00") from None
    if not FIRST_YEAR <= parsed.year < YEAR_END:
        raise typer.BadParameter(f"{text!r} is outside the years {FIRST_YEAR} to {YEAR_END - 1}")
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(zone))
    found = round(parsed.timestamp() * 1000)
    if found % MINUTE_MS:
        raise typer.BadParameter(f"{text!r}: KPI windows begin at whole minutes")
    return found


def span_ms(begin: str, end: str, zone: str) -> tuple[int, int]:
    """[from, to) in UTC milliseconds. Raises typer.BadParameter."""
    span = instant_ms(begin, zone), instant_ms(end, zone)
    if span[0] >= span[1]:
        raise typer.BadParameter(f"--from {begin} is not before --to {end}")
    return span
