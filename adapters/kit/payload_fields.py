"""Fields of payloads, read strictly: what is not of its kind refuses the payload, and is not quoted."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.kit.outcomes import InvalidInput
from schemas.customer_key import customer_key
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SECONDS = re.compile(r"[0-9]{9,11}", re.ASCII)  # as a text, as some programs write all numbers
ZONE_WORD = re.compile(r" UTC$")
# Of several snapshots the earliest knows best how something began: its revision must be the greatest.
FAR_MS = 2**53


def part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside; an empty one where it is absent or null. Raises InvalidInput."""
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("wrong_shape", f"{name} is a {type(value).__name__}, expected an object")
    return value


def text(payload: Mapping[str, Any], name: str) -> str | None:
    """A text; None where it is absent, null or empty. Raises InvalidInput."""
    value = payload.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInput("wrong_shape", f"{name} is a {type(value).__name__}, expected a text")
    return value


def word(payload: Mapping[str, Any], name: str) -> str:
    """A text in upper case; "" where there is none. Raises InvalidInput."""
    return (text(payload, name) or "").upper()


def objects(payload: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects; an empty one where it is absent or null. Raises InvalidInput."""
    found = payload.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidInput("wrong_shape", f"{name} is no list of objects")
    return found


def given(**fields: Any) -> dict[str, Any]:
    """Those that are not None or empty."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def ident(payload: Mapping[str, Any], name: str) -> str | None:
    """An id, a number or a text, as text; None where it is absent or null. Raises InvalidInput."""
    value = payload.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidInput("wrong_shape", f"{name} is a {type(value).__name__}, expected an id")
    return str(value)


def need(value: Any, name: str) -> Any:
    """A value that must be there. Raises InvalidInput."""
    if value is None:
        raise InvalidInput("missing_field", f"{name} is missing")
    return value


def whole(payload: Mapping[str, Any], name: str) -> int | None:
    """A whole number from 0 on, also as a text or with a fraction of zero; None where there is none such."""
    value = payload.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
        return None
    return int(value)


def moment(payload: Mapping[str, Any], name: str) -> int | None:
    """A time in UTC milliseconds: epoch seconds, or ISO 8601 with an offset; None where there is none.

    Zero and times before 1990 are what systems write for "never". Raises InvalidInput.
    """
    value = payload.get(name)
    if value is None or value == "" or value == 0:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInput("bad_time", f"{name} is a {type(value).__name__}, expected a time")
    if isinstance(value, str) and SECONDS.fullmatch(value):
        value = int(value)
    time_ms = from_text(value, name) if isinstance(value, str) else from_seconds(value, name)
    return time_ms if time_ms >= OCCURRED_AT_MIN else None


def from_seconds(value: float, name: str) -> int:
    """Epoch seconds, whole or not."""
    if not 0 <= value < OCCURRED_AT_MAX / 1000:
        raise InvalidInput("bad_time", f"{name} is no time in seconds between 1970 and 2100")
    return value * 1000 if isinstance(value, int) else int(value * 1000 + 0.5)


def from_text(value: str, name: str) -> int:
    """ISO 8601 with an offset, or with the word UTC behind it; finer digits are cut off."""
    try:
        found = datetime.fromisoformat(ZONE_WORD.sub("+00:00", value))
    except ValueError:
        raise InvalidInput("bad_time", f"{name} is not ISO 8601") from None
    if found.utcoffset() is None:
        raise InvalidInput("bad_time", f"{name} has no offset from UTC")
    return (found - EPOCH) // MILLISECOND


def earliest_wins(seen_ms: int) -> int:
    """The revision of what the earliest of several snapshots says best."""
    return max(FAR_MS - seen_ms, 0)


def hashed(candidates: Sequence[str | None], secret: bytes) -> str | None:
    """The key of a customer by the first identifier that names somebody."""
    for raw in candidates:
        key = customer_key(raw, secret) if raw else None
        if key is not None:
            return key
    return None
