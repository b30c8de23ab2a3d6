"""A conversation or ticket inside a notification. Its shape depends on the API version chosen in the app."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import earliest_wins, hashed, ident, moment, need, objects, part, text
from adapters.kit.payloads import Payload
from schemas.events import Event

SOURCE = "intercom"
CHANNELS = {"email": "email", "phone_call": "voice", "phone_switch": "voice"}
BY = {
    "admin": "agent",
    "team": "agent",
    "bot": "bot",
    "user": "customer",
    "lead": "customer",
    "contact": "customer",
}
OUTBOUND = ("admin", "bot")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification: what it is about, when and under which name."""

    contact: Contact
    item: Payload
    at: int
    name: str


def listed(item: Payload, name: str) -> list[dict[str, Any]]:
    """A list of objects, which stands in an object of its own name. Raises InvalidInput."""
    return objects(part(item, name), name)


def notice_of(payload: Payload, item: Payload) -> Notice:
    """The notification about a conversation or ticket. Raises InvalidInput."""
    app, number = text(payload, "app_id") or "app", need(ident(item, "id"), "data.item.id")
    at = need(moment(payload, "created_at"), "created_at")
    channel = CHANNELS.get(text(part(item, "source"), "type") or "", "messaging")
    kind = "ticket-" if text(item, "type") == "ticket" else ""
    contact = Contact(f"intercom-{app}-{kind}{number}", SOURCE, channel)
    return Notice(contact, item, at, need(ident(payload, "id"), "id"))


def parts_of(notice: Notice) -> list[dict[str, Any]]:
    """The parts that a notification carries: mostly the newest one alone."""
    return listed(notice.item, "conversation_parts") or listed(notice.item, "ticket_parts")


def moment_of(notice: Notice, kinds: tuple[str, ...]) -> tuple[int, str, Payload]:
    """Time, name and author of what happened: of its part, which is exact, else of the notification."""
    found = [each for each in parts_of(notice) if (text(each, "part_type") or "") in kinds]
    latest = max(found, key=lambda each: moment(each, "created_at") or 0, default=None)
    if latest is None:
        return notice.at, notice.name, {}
    number = ident(latest, "id")
    name = f"part-{number}" if number else notice.name
    return moment(latest, "created_at") or notice.at, f"part-{name}", part(latest, "author")


def people(item: Payload) -> Iterator[Payload]:
    """Those who may be the customer, in both shapes."""
    yield from listed(item, "contacts")
    for each in (part(item, "user"), part(part(item, "source"), "author")):
        if text(each, "type") not in ("admin", "bot", "team"):
            yield each


def customer_of(notice: Notice, secret: bytes) -> str | None:
    """The key of the customer: by address if there is one, else by Intercom's id."""
    found = [*people(notice.item)]
    names = [text(each, name) for each in found for name in ("email", "phone")]
    ids = [ident(each, "id") for each in found]
    return hashed([*names, *(f"intercom contact {each}" if each else None for each in ids)], secret)


def began(notice: Notice, secret: bytes) -> list[Event]:
    """How a conversation began: each notification that carries its beginning says so, the earliest best."""
    at = moment(notice.item, "created_at")
    if at is None:
        return []
    first = part(notice.item, "source") or part(notice.item, "conversation_message")
    outbound = text(part(first, "author"), "type") in OUTBOUND
    revision = earliest_wins(moment(notice.item, "updated_at") or notice.at)
    more = {"customer_key": customer_of(notice, secret), "direction": "outbound" if outbound else "inbound"}
    return [notice.contact.event("contact_started", at, "started", revision=revision, **more)]
