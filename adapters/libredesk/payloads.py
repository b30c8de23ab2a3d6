"""Payloads of Libredesk: which events each kind tells.

Every payload about a conversation carries it whole, so that a webhook that was lost is made up for by the
next one. The time that Libredesk gives a payload is that of its sending and is used for nothing else.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from adapters.kit.outcomes import build
from adapters.kit.payload_fields import earliest_wins, hashed, ident, moment, need, part, text
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    customers_in,
    read_payloads,
    unknown_kind,
)
from adapters.kit.surveys import number_of
from adapters.libredesk.messages import message_events
from schemas.events import Event

CHANNELS = {"email": "email", "livechat": "chat"}
CLOSED, RESOLVED = "closed", "resolved"
OVER = (RESOLVED, CLOSED)
KINDS = ("conversation.", "message.")


def is_mine(payload: Payload) -> bool:
    """Has it the form of a payload of Libredesk?"""
    kind, inner = payload.get("event"), payload.get("payload")
    return isinstance(kind, str) and kind.startswith(KINDS) and isinstance(inner, dict)


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    kind, inner = payload["event"], payload["payload"]
    if kind.startswith("message."):
        return message_events(kind, inner, moment(payload, "timestamp"))
    if kind == "conversation.created":
        return [*beginning(inner, secret), *snapshot(inner)]
    conversation = part(inner, "conversation")
    if not conversation:
        raise unknown_kind()
    if kind == "conversation.status_changed":
        return [*snapshot(conversation), *status_change(inner, conversation)]
    found = snapshot(conversation)
    if not found:
        raise Ignored("no_fact")
    return found


def common(conversation: Payload) -> dict[str, Any]:
    """Fields that every event of a conversation has."""
    return {
        "contact_id": f"libredesk-{need(text(conversation, 'uuid'), 'uuid')}",
        "source": "libredesk",
        "channel": CHANNELS.get(text(conversation, "inbox_channel") or "", "messaging"),
    }


def event(conversation: Payload, type_: str, at: int, name: str, **fields: Any) -> Event:
    """An event of a conversation; `name` is its id within it."""
    given = {field: value for field, value in fields.items() if value is not None}
    base = common(conversation)
    return build(type_, base | {"event_id": f"{base['contact_id']}-{name}", "occurred_at": at} | given)


def beginning(conversation: Payload, secret: bytes) -> list[Event]:
    """How a conversation began; the agent began it where the first message is the agent's."""
    at = need(moment(conversation, "created_at"), "created_at")
    person = part(conversation, "contact")
    number = ident(person, "id") or ident(conversation, "contact_id")
    key = hashed(
        [
            text(person, "email"),
            text(person, "phone_number"),
            f"libredesk contact {number}" if number else None,
        ],
        secret,
    )
    outbound = text(conversation, "last_message_sender") == "agent"
    started = event(
        conversation,
        "contact_started",
        at,
        "started",
        customer_key=key,
        direction="outbound" if outbound else "inbound",
    )
    inbox = text(conversation, "inbox_name") or f"inbox {ident(conversation, 'inbox_id') or 'unknown'}"
    queued = event(conversation, "contact_queued", at, "queued", queue=inbox)
    return [started] if outbound else [started, queued]


def snapshot(conversation: Payload) -> list[Event]:
    """What any later state of a conversation still says."""
    found = []
    seen = moment(conversation, "updated_at") or 0
    replied, agent = moment(conversation, "first_reply_at"), ident(conversation, "assigned_user_id")
    if replied and agent:
        revision = earliest_wins(seen)
        found.append(
            event(conversation, "contact_answered", replied, "answered", agent=agent, revision=revision)
        )
    elif replied:  # nobody knows by whom
        found.append(event(conversation, "contact_replied", replied, "first-reply", by="agent"))
    resolved = moment(conversation, "resolved_at")
    if resolved:
        found.append(resolution(conversation, resolved, 1))
    closed = moment(conversation, "closed_at")
    if closed:
        found.append(event(conversation, "contact_closed", closed, f"closed-{closed}", by="agent"))
    rating, rated = conversation.get("csat_rating"), moment(conversation, "csat_responded_at")
    if rating and rated:
        scale = {"kind": "csat", "score": number_of(rating) or rating, "scale_min": 1, "scale_max": 5}
        found.append(event(conversation, "contact_surveyed", rated, f"csat-{rated}", **scale))
    return found


def resolution(conversation: Payload, at: int, leg: int) -> Event:
    """A resolution; `resolved_at` stays that of the first one, so a later one is of the second leg."""
    return event(
        conversation, "contact_resolved", at, f"resolved-{at}", outcome="resolved", by="agent", leg=leg
    )


def status_change(change: Payload, conversation: Payload) -> list[Event]:
    """What a change of status says beyond the state itself; it may be one from a status to the same."""
    before, after = (text(change, name) or "" for name in ("previous_status", "new_status"))
    first, seen = moment(conversation, "resolved_at"), moment(conversation, "updated_at")
    if before == after or seen is None:
        return []
    if after.lower() == RESOLVED and first and seen > first:
        return [resolution(conversation, seen, 2)]
    if before.lower() in OVER and after.lower() not in OVER:
        return [event(conversation, "contact_reopened", seen, f"reopened-{seen}", by="agent", leg=2)]
    return []


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    inner = payload["payload"]
    for person in (
        inner.get("contact"),
        inner.get("author"),
        (inner.get("conversation") or {}).get("contact"),
    ):
        if isinstance(person, dict) and person.get("type", "contact") == "contact":
            yield from (person.get("email"), person.get("phone_number"))
    meta = inner.get("meta") or {}
    yield from (*(meta.get("to") or ()), *(meta.get("cc") or ()))


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read_libredesk = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
