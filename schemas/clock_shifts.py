"""When the clock of a time zone is put forward or back, by tzdata."""

from datetime import datetime, tzinfo

from schemas.time_units import HOUR_MS, MINUTE_MS

# No zone has changed its clock twice within this since 1970.
SHIFT_STEP_MS = 12 * HOUR_MS

Shift = tuple[int, int]  # instant, and local minus UTC from then on


def offset_at(instant_ms: int, zone: tzinfo) -> int:
    """Local time minus UTC, in milliseconds."""
    ahead = datetime.fromtimestamp(instant_ms // 1000, zone).utcoffset()
    return 0 if ahead is None else (ahead.days * 86_400 + ahead.seconds) * 1_000


def shift_between(low: int, high: int, zone: tzinfo) -> int:
    """The instant in (low, high] from which on the offset is that of `high`; whole minutes."""
    after = offset_at(high, zone)
    while high - low > MINUTE_MS:
        middle = low + (high - low) // 2 // MINUTE_MS * MINUTE_MS
        low, high = (low, middle) if offset_at(middle, zone) == after else (middle, high)
    return high


def shifts(from_ms: int, to_ms: int, zone: tzinfo) -> list[Shift]:
    """Offsets in [from_ms, to_ms): the one at the beginning, then one per change of the clock."""
    found = [(from_ms, offset_at(from_ms, zone))]
    instant = from_ms
    while instant < to_ms:
        following = min(instant + SHIFT_STEP_MS, to_ms)
        if offset_at(following, zone) != found[-1][1]:
            changed = shift_between(instant, following, zone)
            found.append((changed, offset_at(changed, zone)))
        instant = following
    return [shift for shift in found if shift[0] < to_ms or shift is found[0]]
