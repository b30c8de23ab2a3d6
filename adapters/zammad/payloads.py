"""Payloads of Zammad: a ticket as it was when the webhook was sent, and an article.

Nothing says what changed, and a delivery that is repeated may carry a newer ticket under the same delivery
id. So every fact is read from the times that the ticket itself keeps.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import earliest_wins, hashed, ident, moment, need, part, text
from adapters.kit.payloads import Payload, PayloadAdapter, customers_in, read_payloads
from schemas.events import Event

NOBODY = "1"  # owner of a ticket that nobody owns
MESSAGING = ("sms", "whatsapp", "twitter", "facebook", "telegram")
# By the ids that every installation begins with: names of states are changed and translated.
STATES = {"1": "new", "2": "open", "3": "pending reminder", "4": "closed", "5": "merged"}
OPEN = ("new", "open", "pending reminder", "pending close")
AUTHORS = {"Agent": "agent", "Customer": "customer", "System": "system"}
NAMES = ("email", "phone", "mobile")


def is_mine(payload: Payload) -> bool:
    """Has it the form of Zammad's default payload?"""
    ticket = payload.get("ticket")
    return isinstance(ticket, dict) and "id" in ticket and "event" not in payload


def name_of(payload: Payload, name: str) -> str | None:
    """A name that is given as a text, or as an object with one."""
    value = payload.get(name)
    return text(value, "name") if isinstance(value, dict) else text(payload, name)


def channel_of(ticket: Payload) -> str:
    """The channel of a ticket, by how its first article came."""
    kind = (name_of(ticket, "create_article_type") or "").lower()
    return "messaging" if kind.startswith(MESSAGING) else "email"


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a payload. Raises InvalidInput."""
    ticket = part(payload, "ticket")
    number = need(ident(ticket, "id"), "ticket.id")
    contact = Contact(f"zammad-{number}", "zammad", channel_of(ticket))
    seen = need(moment(ticket, "updated_at"), "ticket.updated_at")
    return [
        *beginning(contact, ticket, seen, secret),
        *answer(contact, ticket, seen),
        *ends(contact, ticket, seen),
        *replies(contact, part(payload, "article")),
    ]


def beginning(contact: Contact, ticket: Payload, seen: int, secret: bytes) -> list[Event]:
    """How a ticket began; the earliest state that was seen knows best for whom and in which group."""
    at = need(moment(ticket, "created_at"), "ticket.created_at")
    person = part(ticket, "customer")
    number = ident(person, "id") or ident(ticket, "customer_id")
    key = hashed([*(text(person, n) for n in NAMES), f"zammad customer {number}" if number else None], secret)
    revision = earliest_wins(seen)
    found = [contact.event("contact_started", at, "started", customer_key=key, revision=revision)]
    group = name_of(ticket, "group")
    if group:
        found.append(contact.event("contact_queued", at, "queued", queue=group, revision=revision))
    return found


def answer(contact: Contact, ticket: Payload, seen: int) -> list[Event]:
    """The first answer, by who owned the ticket when that was first seen."""
    at = moment(ticket, "first_response_at")
    owner = ident(part(ticket, "owner"), "id") or ident(ticket, "owner_id")
    if at is None:
        return []
    agent = None if owner == NOBODY else owner
    return [contact.event("contact_answered", at, "answered", agent=agent, revision=earliest_wins(seen))]


def ends(contact: Contact, ticket: Payload, seen: int) -> list[Event]:
    """Closings, a reopening, a merge. Of a state of one's own nobody says whether it is open: none then."""
    state = STATES.get(ident(ticket, "state_id") or "") or (name_of(ticket, "state") or "").lower()
    if state == "merged":
        revision = earliest_wins(seen)
        return [contact.event("contact_withdrawn", seen, "merged", cause="merged", revision=revision)]
    first, last = moment(ticket, "close_at"), moment(ticket, "last_close_at")
    closings = sorted({at for at in (first, last) if at is not None})
    found = [
        contact.event(
            "contact_resolved", at, f"resolved-{at}", outcome="resolved", by="agent", leg=min(leg, 2)
        )
        for leg, at in enumerate(closings, 1)
    ]
    if closings and state in OPEN:
        revision = earliest_wins(seen)
        found.append(contact.event("contact_reopened", seen, "reopened", leg=2, revision=revision))
    return found


def replies(contact: Contact, article: Payload) -> list[Event]:
    """What an article says to the customer, or the customer to us; notes among agents are none."""
    by = AUTHORS.get(name_of(article, "sender") or "")
    number, at = ident(article, "id"), moment(article, "created_at")
    if by is None or number is None or at is None or article.get("internal"):
        return []
    author = ident(part(article, "created_by"), "id") or ident(article, "created_by_id")
    agent = author if by == "agent" else None
    return [contact.event("contact_replied", at, f"article-{number}", by=by, agent=agent)]


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    person = payload["ticket"].get("customer") or {}
    yield from (person.get(name) for name in (*NAMES, "login"))


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read_zammad = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
