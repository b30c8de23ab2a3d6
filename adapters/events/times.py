"""Times in JSON lines: integer milliseconds, or ISO 8601 with an offset from UTC."""

from datetime import UTC, datetime, timedelta

from adapters.kit.outcomes import InvalidInput
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.shape import quoted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def from_iso(text: str) -> int:
    """UTC milliseconds of an ISO 8601 time; finer digits are cut off. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            "bad_time", f"occurred_at {quoted(text)} is not ISO 8601, such as 2026-01-05T09:30:00Z"
        ) from None
    if moment.utcoffset() is None:
        raise InvalidInput(
            "bad_time",
            f"occurred_at {quoted(text)} has no offset from UTC; put Z or one such as +01:00 behind it",
        )
    return (moment - EPOCH) // MILLISECOND


def to_ms(value: object) -> int:
    """UTC milliseconds of `occurred_at` as it stands in the line. Raises InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        kind = type(value).__name__
        raise InvalidInput("bad_time", f"occurred_at is a {kind}, expected integer milliseconds or ISO 8601")
    time_ms = from_iso(value) if isinstance(value, str) else value
    if not OCCURRED_AT_MIN <= time_ms < OCCURRED_AT_MAX:
        hint = "; seconds instead of milliseconds?" if 0 < time_ms < OCCURRED_AT_MIN else ""
        raise InvalidInput("bad_time", f"occurred_at {quoted(str(value))} is outside 1990 to 2100{hint}")
    return time_ms
