"""Words of Genesys Cloud, which are in upper case in detail events and in lower case in detail records."""

from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import whole
from adapters.kit.payloads import Payload
from schemas.event_fields import DURATION_MAX_MS, OCCURRED_AT_MAX, OCCURRED_AT_MIN

CHANNELS = {
    "VOICE": "voice",
    "CALLBACK": "voice",
    "CHAT": "chat",
    "WEBMESSAGING": "chat",
    "EMAIL": "email",
    "MESSAGE": "messaging",
}
# Sessions beside the conversation.
BESIDE = ("SCREENSHARE", "COBROWSE", "SCREENMONITORING", "SCREENRECORDING", "VIDEO", "MONITORING")
SYSTEM_CODES = ("ININ-WRAP-UP-TIMEOUT", "ININ-WRAP-UP-SKIPPED")


def time_ms(payload: Payload, name: str) -> int | None:
    """Epoch milliseconds; None where there are none. Raises InvalidInput."""
    value = payload.get(name)
    if value is None or value == 0:
        return None
    found = whole(payload, name)
    if found is None:
        raise InvalidInput("bad_time", f"{name} is a {type(value).__name__}, expected milliseconds")
    if not OCCURRED_AT_MIN <= found < OCCURRED_AT_MAX:
        raise InvalidInput("bad_time", f"{name} is no time in milliseconds between 1990 and 2100")
    return found


def duration(payload: Payload, name: str) -> int | None:
    """Milliseconds; None where there are none or where they are none."""
    value = whole(payload, name)
    return value if value is not None and value <= DURATION_MAX_MS else None
