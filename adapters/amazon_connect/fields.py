"""Fields of Connect, whose names differ in case from one page, feed and sample to the next."""

from collections.abc import Mapping
from typing import Any

from adapters.kit.payload_fields import part, text, whole, word
from adapters.kit.payloads import Payload

CHANNELS = {"VOICE": "voice", "CHAT": "chat", "TASK": "task", "EMAIL": "email"}
MESSAGING = ("sms", "whatsapp", "apple")
# A supervisor who listens in, and what a flow does after the hanging-up: no contact of a customer.
APART = {
    "MONITOR": "supervisor",
    "DISCONNECT": "after_flow",
    "AGENT_REPLY": "after_flow",
    "FLOW": "after_flow",
}


def low(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with their names in lower case."""
    return {name.lower(): value for name, value in payload.items()}


def inner(payload: Payload, name: str) -> dict[str, Any]:
    """An object inside, its names in lower case. Raises InvalidInput."""
    return low(part(payload, name))


def id_of(payload: Payload, name: str) -> str | None:
    """What an ARN ends in, which is stable; None where there is none. Raises InvalidInput."""
    arn = text(payload, name)
    return arn.rpartition("/")[2] or None if arn else None


def channel_of(payload: Payload) -> str:
    """The channel of a contact."""
    channel = CHANNELS.get(word(payload, "channel"), "voice")
    subtype = part(part(payload, "segmentattributes"), "connect:Subtype").get("ValueString")
    if channel == "chat" and isinstance(subtype, str) and any(each in subtype.lower() for each in MESSAGING):
        return "messaging"
    return channel


def seconds(payload: Payload, name: str) -> int | None:
    """A duration in milliseconds; None where it is no whole number."""
    value = whole(payload, name)
    return None if value is None else value * 1000
