"""Messages of Libredesk: replies of people, and the answer to its survey."""

from adapters.kit.outcomes import build
from adapters.kit.payload_fields import ident, moment, need, part, text
from adapters.kit.payloads import Ignored, Payload, unknown_kind
from adapters.kit.surveys import number_of
from schemas.events import Event


def message_events(kind: str, message: Payload, sent: int | None) -> list[Event]:
    """The events of a message; `sent` is when the webhook was sent. Raises InvalidInput, Ignored."""
    if kind == "message.updated":
        return survey(message, sent)
    if kind != "message.created":
        raise unknown_kind()
    if text(message, "type") == "activity" or message.get("private"):
        raise Ignored("not_to_customer")
    at = need(moment(message, "created_at"), "created_at")
    return [build("contact_replied", common(message, "message") | {"occurred_at": at} | author(message))]


def common(message: Payload, name: str) -> dict[str, object]:
    """Fields that every event of a message has. It does not say the channel; the conversation does."""
    contact = f"libredesk-{need(text(message, 'conversation_uuid'), 'conversation_uuid')}"
    number = need(text(message, "uuid") or ident(message, "id"), "uuid")
    return {
        "contact_id": contact,
        "event_id": f"{contact}-{name}-{number}",
        "source": "libredesk",
        "channel": "messaging",
    }


def author(message: Payload) -> dict[str, str]:
    """Who wrote a message. What Libredesk sends by itself, as its survey, is no reply of an agent."""
    if text(message, "type") == "incoming":
        return {"by": "customer"}
    meta = part(message, "meta")
    if meta.get("is_automated") or meta.get("is_csat") or text(message, "sender_type") != "agent":
        return {"by": "system"}
    agent = ident(message, "sender_id")
    return {"by": "agent"} | ({"agent": agent} if agent else {})


def survey(message: Payload, sent: int | None) -> list[Event]:
    """The answer to a survey stands in the message that asked; every other change tells of no contact."""
    meta = part(message, "meta")
    rating = meta.get("submitted_rating")
    if not meta.get("is_csat") or not rating:
        raise Ignored("no_fact")
    at = need(moment(message, "updated_at") or sent, "updated_at")
    scale = {"kind": "csat", "score": number_of(rating) or rating, "scale_min": 1, "scale_max": 5}
    return [build("contact_surveyed", common(message, f"csat-{at}") | {"occurred_at": at} | scale)]
