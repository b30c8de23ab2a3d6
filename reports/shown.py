"""Values as people read them."""

from datetime import datetime
from typing import Any

from schemas.time_units import HOUR_MS, MINUTE_MS, SECOND_MS

HOUR_S, DAY_MIN = 3_600, 1_440


def duration(ms: float) -> str:
    """A duration in units that fit: 12.3 s, 4 min 05 s, 2 h 40 min, 3 d 04 h."""
    seconds = round(abs(ms) / SECOND_MS)
    sign = "-" if ms < 0 else ""
    if abs(ms) < MINUTE_MS - SECOND_MS / 20:
        return f"{ms / SECOND_MS:.1f} s"
    if seconds < HOUR_S:
        return f"{sign}{seconds // 60} min {seconds % 60:02} s"
    minutes = round(abs(ms) / MINUTE_MS)
    if minutes < 2 * DAY_MIN:
        return f"{sign}{minutes // 60} h {minutes % 60:02} min"
    hours = round(abs(ms) / HOUR_MS)
    return f"{sign}{hours // 24:,} d {hours % 24:02} h"


def shown(value: dict[str, Any]) -> str:
    """A value for people: percent with one decimal, durations in units that fit, - for nothing counted."""
    number, unit = value["value"], value["unit"]
    if number is None:
        return "-"
    if unit == "hour":
        return datetime.fromisoformat(number).strftime("%Y-%m-%d %H:%M")
    if unit == "ms":
        return duration(number)
    if unit in ("points", "number"):
        return f"{number:,.2f}"
    return f"{number * 100:.1f} %" if unit == "ratio" else f"{number:,}"
