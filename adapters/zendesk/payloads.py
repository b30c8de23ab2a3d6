"""Events of Zendesk. `event` and `time` are the fact; `detail` is the ticket as it is when it is sent."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import hashed, ident, moment, need, part, text
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    customers_in,
    read_payloads,
    unknown_kind,
)
from schemas.events import Event

TYPE = "zen:event-type:"
CHANNELS = {
    "chat": "chat",
    "native_messaging": "messaging",
    "messaging": "messaging",
    "whatsapp": "messaging",
    "sms": "messaging",
    "facebook": "messaging",
    "twitter": "messaging",
    "voice": "voice",
}
LIVE = ("chat", "voice")
NOBODY = (None, "-1")  # an automation acts as user -1
SOLVED, CLOSED = "solved", "closed"
RATINGS = {"good": 1, "bad": 0}
ACTORS = {"end_user": "customer", "agent": "agent", "trigger": "system", "system": "system", "bot": "bot"}
WITHDRAWN = {"marked_as_spam": "spam", "soft_deleted": "deleted", "permanently_deleted": "deleted"}
IGNORED = (
    "agent.",
    "user.",
    "organization.",
    "article.",
    "ticket.tags_",
    "ticket.subject_",
    "ticket.priority_",
)
Made = list[Event]


def is_mine(payload: Payload) -> bool:
    """Has it the form of an event of Zendesk?"""
    kind = payload.get("type")
    return isinstance(kind, str) and kind.startswith(TYPE)


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    kind = payload["type"].removeprefix(TYPE)
    if kind.startswith(IGNORED):
        raise Ignored("no_contact")
    read = KINDS.get(kind)
    if read is None:
        raise unknown_kind()
    detail = part(payload, "detail")
    account = need(ident(payload, "account_id"), "account_id")
    number = need(ident(detail, "id"), "detail.id")
    channel = CHANNELS.get((text(part(detail, "via"), "channel") or "").lower(), "email")
    contact = Contact(f"zendesk-{account}-{number}", "zendesk", channel)
    name, at = need(ident(payload, "id"), "id"), need(moment(payload, "time"), "time")
    if kind == "ticket.created":
        return created(contact, payload, name, at, secret)
    return read(contact, payload, name, at)


def created(contact: Contact, payload: Payload, name: str, at: int, secret: bytes) -> Made:
    """A ticket began, in its group if it has one already."""
    detail = part(payload, "detail")
    requester = ident(detail, "requester_id")
    account = ident(payload, "account_id")
    key = hashed([f"zendesk requester {account}-{requester}" if requester else None], secret)
    began = moment(detail, "created_at") or at
    found = [contact.event("contact_started", began, name, customer_key=key)]
    group = ident(detail, "group_id")
    if group:
        found.append(contact.event("contact_queued", began, f"{name}-queued", queue=group))
    return found


def nothing(*_: object) -> Made:
    """Known, and no fact of a contact."""
    raise Ignored("no_fact")


def queued(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A group has it now."""
    group = ident(part(payload, "event"), "current")
    return [contact.event("contact_queued", at, name, queue=group)] if group else []


def assigned(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A first agent: an answer where somebody waits on the line; elsewhere the first reply is one."""
    change = part(payload, "event")
    agent = ident(change, "current")
    if contact.channel not in LIVE or not agent or ident(change, "previous"):
        return []
    return [contact.event("contact_answered", at, name, agent=agent)]


def commented(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A public comment is a reply."""
    comment = part(part(payload, "event"), "comment")
    author = part(comment, "author")
    if not comment.get("is_public"):
        return []
    if author.get("is_staff") is True:
        return [contact.event("contact_replied", at, name, by="agent", agent=ident(author, "id"))]
    # Of an account that was deleted nothing is known any more.
    by = "customer" if author.get("is_staff") is False else "system"
    return [contact.event("contact_replied", at, name, by=by)]


def messaged(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A message of a chat."""
    actor = part(part(payload, "event"), "actor") or part(part(payload, "event"), "message")
    by = ACTORS.get((text(actor, "type") or "").lower())
    agent = ident(actor, "id") if by == "agent" else None
    return [contact.event("contact_replied", at, name, by=by, agent=agent)] if by else []


def changed(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A change of status. Triggers write it in lower case, events in upper case."""
    change, detail = part(payload, "event"), part(payload, "detail")
    before, after = ((text(change, side) or "").lower() for side in ("previous", "current"))
    actor, requester = ident(detail, "actor_id"), ident(detail, "requester_id")
    by = "system" if actor in NOBODY else "customer" if actor == requester else "agent"
    if after == SOLVED:
        return [contact.event("contact_resolved", at, name, outcome="resolved", by=by)]
    if after == CLOSED:
        return closed(contact, before, name, at)
    if before in (SOLVED, CLOSED) and after:
        return [contact.event("contact_reopened", at, name, by=by)]
    return []  # new, open, pending and hold are states of waiting, no telephone hold


def closed(contact: Contact, before: str, name: str, at: int) -> Made:
    """Closed for good; a ticket that nobody had solved, as one that was merged, is over but not solved."""
    found = [contact.event("contact_closed", at, name, by="system")]
    if before != SOLVED:
        found.append(contact.event("contact_resolved", at, f"{name}-over", outcome="unknown", by="system"))
    return found


def rated(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """A rating, good or bad; the latest one counts."""
    said = (text(part(part(payload, "event"), "current"), "score") or "").lower()
    # also goodwithcomment, bad_without_comment and the like
    score = next((score for word, score in RATINGS.items() if said.startswith(word)), None)
    if score is None:  # offered, unoffered: nobody has answered
        return []
    scale = {"kind": "csat", "score": score, "scale_min": 0, "scale_max": 1}
    return [contact.event("contact_surveyed", at, name, **scale)]


def merged(contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """It goes on as another ticket."""
    target = ident(part(payload, "event"), "target_ticket_id")
    other = f"zendesk-{ident(payload, 'account_id')}-{target}" if target else None
    return [contact.event("contact_withdrawn", at, name, cause="merged", merged_into=other)]


def withdrawn(cause: str, undone: bool, contact: Contact, payload: Payload, name: str, at: int) -> Made:
    """It counts nowhere, or does so again."""
    return [contact.event("contact_withdrawn", at, name, cause=cause, undone=undone)]


KINDS: dict[str, Callable[[Contact, Payload, str, int], Made]] = {
    "ticket.created": nothing,  # read by `created`, which needs the key of the hash
    "ticket.group_assignment_changed": queued,
    "ticket.agent_assignment_changed": assigned,
    "ticket.comment_added": commented,
    "ticket.status_changed": changed,
    "ticket.custom_status_changed": nothing,
    "ticket.csat_requested": nothing,
    "ticket.csat_received": rated,
    "ticket.merged": merged,
    "ticket.undeleted": partial(withdrawn, "deleted", True),
    "messaging_ticket.message_added": messaged,
    **{f"ticket.{word}": partial(withdrawn, cause, False) for word, cause in WITHDRAWN.items()},
}


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload: numbers of accounts alone."""
    detail = payload.get("detail") or {}
    yield detail.get("requester_id")


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read_zendesk = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
