"""Payloads of Chatwoot: which kind is which, and whose conversation it is about."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.chatwoot.conversations import conversation_events
from adapters.chatwoot.messages import message_events
from adapters.kit.payload_fields import ident, need, part
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    customers_in,
    read_payloads,
    unknown_kind,
)
from schemas.events import Event

CONVERSATIONS = ("conversation_created", "conversation_updated", "conversation_status_changed")
MESSAGES = ("message_created", "message_updated")
# Known, and of no contact. With those above these are all that version 4 sends.
OTHERS = (
    "contact_created",
    "contact_updated",
    "conversation_typing_on",
    "conversation_typing_off",
    "inbox_created",
    "inbox_updated",
    "webwidget_triggered",
)
PREFIXES = ("conversation_", "message_", "contact_", "inbox_", "webwidget_")


def is_mine(payload: Payload) -> bool:
    """Has it the form of a payload of Chatwoot?"""
    kind = payload.get("event")
    return isinstance(kind, str) and kind.startswith(PREFIXES) and "payload" not in payload


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    kind = payload["event"]
    if kind in OTHERS:
        raise Ignored("no_conversation")
    if kind in MESSAGES:
        return message_events(kind, payload, account(payload))
    if kind not in CONVERSATIONS:
        raise unknown_kind()
    return conversation_events(kind, payload, account(payload), secret)


def account(payload: Payload) -> str:
    """The account, without which a number means nothing. Some payloads have it in a message alone."""
    found = ident(part(payload, "account"), "id")
    messages = payload.get("messages")
    if found is None and isinstance(messages, list) and messages and isinstance(messages[0], dict):
        found = ident(messages[0], "account_id")
    account_id: str = need(found, "account.id")
    return account_id


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    people = [(payload.get("meta") or {}).get("sender"), payload.get("sender"), payload.get("contact")]
    for person in people:
        if isinstance(person, dict) and person.get("type", "contact") == "contact":
            yield from (person.get(name) for name in ("phone_number", "email", "identifier"))
    for change in payload.get("changed_attributes") or ():
        for name in ("phone_number", "email", "identifier"):
            values = change.get(name) or {}
            yield from (values.get("previous_value"), values.get("current_value"))


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read_chatwoot = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
