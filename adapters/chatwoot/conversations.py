"""Conversations of Chatwoot. What changed stands in `changed_attributes`; when, in `updated_at` alone."""

from typing import Any

from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import hashed, ident, moment, need, part, text
from adapters.kit.payloads import Ignored, Payload
from schemas.events import Event

CHANNELS = {"Channel::WebWidget": "chat", "Channel::Email": "email", "Channel::Voice": "voice"}
LIVE = ("chat", "voice")  # where somebody waits: there to be assigned is to answer
STATUSES = {0: "open", 1: "resolved", 2: "pending", 3: "snoozed"}


def contact_of(account: str, number: str, channel: str | None) -> Contact:
    """The contact that a conversation is. Its number is one of its account."""
    return Contact(f"chatwoot-{account}-{number}", "chatwoot", CHANNELS.get(channel or "", "messaging"))


def conversation_events(kind: str, payload: Payload, account: str, secret: bytes) -> list[Event]:
    """The events of a payload about a conversation. Raises InvalidInput, Ignored."""
    contact = contact_of(account, need(ident(payload, "id"), "id"), text(payload, "channel"))
    if kind == "conversation_created":
        return beginning(contact, payload, account, secret)
    at, changed = moment(payload, "updated_at"), changes(payload)
    if kind == "conversation_status_changed" and not changed:  # null was seen: what it was before is unknown
        changed = {"status": (None, payload.get("status"))}
    if at is None or not changed:
        raise Ignored("no_fact")
    found = status_change(contact, payload, changed, at)
    if "team_id" in changed and changed["team_id"][1] is not None:
        found.append(contact.event("contact_queued", at, f"queued-{at}", queue=queue(payload)))
    return found + assignment(contact, payload, changed, at)


def beginning(contact: Contact, payload: Payload, account: str, secret: bytes) -> list[Event]:
    """How a conversation began. Messages in it may be later ones: nothing is read from them."""
    at = need(moment(payload, "created_at"), "created_at")
    person = part(part(payload, "meta"), "sender")
    number = ident(person, "id")
    names = [text(person, name) for name in ("phone_number", "email", "identifier")]
    key = hashed([*names, f"chatwoot contact {account}-{number}" if number else None], secret)
    bot = text(payload, "status") == "pending"
    entry = "bot" if bot else "direct"
    found = [contact.event("contact_started", at, "started", customer_key=key, entry=entry)]
    if not bot:
        found.append(contact.event("contact_queued", at, "queued", queue=queue(payload)))
    return found


def queue(payload: Payload) -> str:
    """Where it waits: its team, else its inbox."""
    inbox = ident(payload, "inbox_id") or "unknown"
    return text(part(part(payload, "meta"), "team"), "name") or f"inbox {inbox}"


def changes(payload: Payload) -> dict[str, tuple[Any, Any]]:
    """What changed: (before, after) by the name of the attribute. Old versions send null."""
    given = payload.get("changed_attributes")
    listed = given if isinstance(given, list) else [given]
    found = {}
    for change in listed:
        for name, values in change.items() if isinstance(change, dict) else ():
            if isinstance(values, dict):
                found[name] = (values.get("previous_value"), values.get("current_value"))
    return found


def status_of(value: Any) -> str:
    """A status by its word; changes tell of it by number or word."""
    return STATUSES.get(value, "") if isinstance(value, int) else str(value or "")


def status_change(
    contact: Contact, payload: Payload, changed: dict[str, tuple[Any, Any]], at: int
) -> list[Event]:
    """What a change of status says."""
    if "status" not in changed:
        return []
    before, after = map(status_of, changed["status"])
    if after == "resolved":
        by = "bot" if before == "pending" else "agent"  # pending is what the bot has
        return [contact.event("contact_resolved", at, f"resolved-{at}", outcome="resolved", by=by)]
    if before == "resolved":
        return [contact.event("contact_reopened", at, f"reopened-{at}", by="customer")]
    if before == "pending" and after == "open":  # the bot gave it to people
        return [contact.event("contact_queued", at, f"queued-{at}", queue=queue(payload))]
    return []


def assignment(
    contact: Contact, payload: Payload, changed: dict[str, tuple[Any, Any]], at: int
) -> list[Event]:
    """A first agent on a live channel answers; a bot does not, and elsewhere the first reply is it."""
    meta = part(payload, "meta")
    agent, team = ident(part(meta, "assignee"), "id"), text(part(meta, "team"), "name")
    before, after = changed.get("assignee_id", (None, None))
    bot = text(meta, "assignee_type") not in (None, "User")
    if contact.channel not in LIVE or after is None or before is not None or bot or not agent:
        return []
    return [contact.event("contact_answered", at, f"answered-{at}", agent=agent, team=team)]
