"""Times on the clock of a zone, and values as people read them (reports.shown)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from reports.shown import duration as duration
from reports.shown import shown as shown


def local_minute(instant: str, zone: str) -> str:
    """A moment on the clock of a zone; with its offset where that clock shows the same time twice."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    text = local.strftime("%Y-%m-%d %H:%M")
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{text}{local.isoformat()[-6:]}" if twice else text
