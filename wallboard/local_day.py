"""Days of the wall: when a local day began, and where in it a quarter-hour stands."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.time_units import MINUTE_MS, QUARTER_MS
from sql.periods import first_instant

SLOTS = 96  # quarter-hours of a local day


def local(time_ms: int, zone: ZoneInfo) -> datetime:
    """A moment on the local clock."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(zone)


def day_start(time_ms: int, zone: ZoneInfo, weeks_ago: int = 0) -> int:
    """Begin of the local day that holds a moment, or of the same weekday some weeks before."""
    return first_instant(local(time_ms, zone).date() - timedelta(weeks=weeks_ago), zone)


def day_end(time_ms: int, zone: ZoneInfo, weeks_ago: int = 0) -> int:
    """End of the same day."""
    day = local(time_ms, zone).date() - timedelta(weeks=weeks_ago) + timedelta(days=1)
    return first_instant(day, zone)


def slot_of(time_ms: int, zone: ZoneInfo) -> int:
    """The quarter-hour on the local clock; one that a shift of the clock repeats is the same one."""
    moment = local(time_ms, zone)
    return (moment.hour * 60 + moment.minute) * MINUTE_MS // QUARTER_MS


def zones_of(default: ZoneInfo, by_queue: Mapping[str, str]) -> dict[str, ZoneInfo]:
    """Queues with a zone that is not the default."""
    return {queue: ZoneInfo(key) for queue, key in by_queue.items() if key != default.key}
