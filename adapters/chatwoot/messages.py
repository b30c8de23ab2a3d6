"""Messages of Chatwoot: replies, and the answer to its survey, which stands in the message that asked."""

from typing import Any

from adapters.chatwoot.conversations import contact_of
from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import ident, moment, need, part, text
from adapters.kit.payloads import Ignored, Payload
from adapters.kit.surveys import number_of
from schemas.events import Event

KINDS: dict[Any, str] = {0: "incoming", 1: "outgoing", 2: "activity", 3: "template"}


def message_events(kind: str, message: Payload, account: str) -> list[Event]:
    """The events of a message. Raises InvalidInput, Ignored."""
    conversation = part(message, "conversation")
    number = need(ident(conversation, "id") or ident(message, "conversation_id"), "conversation.id")
    contact = contact_of(account, number, text(conversation, "channel"))
    if kind == "message_updated":
        return survey(contact, message)
    at = need(moment(message, "created_at"), "created_at")
    return [contact.event("contact_replied", at, f"message-{message_id(message)}", **author(message))]


def message_id(message: Payload) -> str:
    """The number of a message."""
    number: str = need(ident(message, "id"), "id")
    return number


def author(message: Payload) -> dict[str, str]:
    """Who wrote a message to the customer or from them. Raises Ignored for everything else."""
    given = message.get("message_type")
    kind = KINDS.get(given, "") if isinstance(given, int) else str(given)
    if message.get("private") or kind not in ("incoming", "outgoing"):
        raise Ignored("not_to_customer")
    if kind == "incoming":
        return {"by": "customer"}
    sender = part(message, "sender")
    if text(sender, "type") != "user":
        return {"by": "bot" if text(sender, "type") == "agent_bot" else "system"}
    agent = ident(sender, "id")
    return {"by": "agent"} | ({"agent": agent} if agent else {})


def survey(contact: Contact, message: Payload) -> list[Event]:
    """The answer to a survey, the last one where it was changed. Receipts and edits tell of nothing."""
    submitted = part(part(message, "content_attributes"), "submitted_values")
    rating = part(submitted, "csat_survey_response").get("rating")
    if text(message, "content_type") != "input_csat" or not rating:
        raise Ignored("no_fact")
    at = need(moment(message, "updated_at"), "updated_at")
    scale = {"kind": "csat", "score": number_of(rating) or rating, "scale_min": 1, "scale_max": 5}
    return [contact.event("contact_surveyed", at, f"csat-{message_id(message)}", revision=at, **scale)]
