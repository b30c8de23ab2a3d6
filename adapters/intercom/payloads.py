"""Notifications of Intercom. What happened is the part it carries, and the part's time is the event's."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from adapters.intercom.conversation import (
    BY,
    SOURCE,
    Notice,
    began,
    listed,
    moment_of,
    notice_of,
    parts_of,
    people,
)
from adapters.kit.outcomes import build
from adapters.kit.payload_fields import ident, moment, need, part, text
from adapters.kit.payloads import Ignored, Payload, PayloadAdapter, customers_in, read_payloads, unknown_kind
from adapters.kit.surveys import survey
from schemas.events import Event

Made = list[Event]
COMMENTS = ("comment", "open", "close", "assignment", "note_and_reopen", "quick_reply")
IGNORED = (
    "contact.",
    "user.",
    "visitor.",
    "company.",
    "event.",
    "job.",
    "content_stat.",
    "article.",
    "call.",
    "conversation_part.",
    "granular.",
)
NO_FACT = (
    "conversation.admin.noted",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.contact.attached",
    "conversation.contact.detached",
    "conversation.priority.updated",
    "conversation.read",
    "ticket.admin.assigned",
    "ticket.attribute.updated",
    "ticket.contact.attached",
    "ticket.contact.detached",
    "ticket.note.created",
)


def is_mine(payload: Payload) -> bool:
    """Has it the form of a notification of Intercom?"""
    return payload.get("type") == "notification_event" and isinstance(payload.get("topic"), str)


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a notification. Raises InvalidInput, Ignored."""
    topic, item = payload["topic"], part(part(payload, "data"), "item")
    if topic == "ping":
        raise Ignored("ping")
    if topic.startswith("admin."):
        return admin(topic, payload, item)
    if topic in NO_FACT or topic.startswith(IGNORED):
        raise Ignored("no_fact")
    read = KINDS.get(topic)
    if read is None:
        raise unknown_kind()
    if text(item, "type") == "ticket" or topic.startswith("ticket."):
        item = {**(part(item, "ticket") or item), "type": "ticket"}
    notice = notice_of(payload, item)
    return [*began(notice, secret), *read(notice)]


def admin(topic: str, payload: Payload, item: Payload) -> Made:
    """What an agent does: logged in or out, away. Raises InvalidInput, Ignored."""
    states = {"admin.logged_in": "available", "admin.logged_out": "offline"}
    state = states.get(topic)
    if topic == "admin.away_mode_updated":
        state = "break" if item.get("away_mode_enabled") else "available"
    if state is None:
        raise Ignored("no_fact")
    agent, at = need(ident(item, "id"), "data.item.id"), need(moment(payload, "created_at"), "created_at")
    fields = {"event_id": f"state-{at}-{state}", "agent": agent, "state": state}
    return [build("agent_state_changed", fields | {"occurred_at": at, "source": SOURCE})]


def created(notice: Notice) -> Made:
    """It began, in a team's inbox if it has one already."""
    team, at = ident(notice.item, "team_assignee_id"), moment(notice.item, "created_at") or notice.at
    return [notice.contact.event("contact_queued", at, f"queued-{team}", queue=team)] if team else []


def assigned(notice: Notice) -> Made:
    """Put into a team's inbox; who of the team has it is no answer: the first reply is."""
    at, name, _ = moment_of(notice, ("assignment", "default_assignment", "assign_and_reopen"))
    team = ident(notice.item, "team_assignee_id")
    for each in parts_of(notice):
        to = part(each, "assigned_to")
        if text(to, "type") == "team":
            team = ident(to, "id")
    return [notice.contact.event("contact_queued", at, f"{name}-queued", queue=team)] if team else []


def replied(by: str, notice: Notice) -> Made:
    """Somebody wrote; a bot writes under the topic of agents too."""
    at, name, author = moment_of(notice, COMMENTS)
    by = BY.get(text(author, "type") or "", by)
    agent = ident(author, "id") if by == "agent" else None
    return [notice.contact.event("contact_replied", at, f"{name}-replied", by=by, agent=agent)]


def closed(notice: Notice) -> Made:
    """Closed by an agent, a bot or the customer."""
    at, name, author = moment_of(notice, ("close",))
    by = BY.get(text(author, "type") or "", "agent" if not author else "system")
    return [notice.contact.event("contact_resolved", at, f"{name}-closed", outcome="resolved", by=by)]


def opened(notice: Notice) -> Made:
    """Opened again."""
    at, name, author = moment_of(notice, ("open", "note_and_reopen", "assign_and_reopen", "timer_unsnooze"))
    by = BY.get(text(author, "type") or "", "system")
    by = by if by in ("customer", "agent") else "system"
    return [notice.contact.event("contact_reopened", at, f"{name}-opened", by=by)]


def rated(notice: Notice) -> Made:
    """A rating from 1 to 5; one that is changed is another answer to the same question."""
    rating = part(notice.item, "conversation_rating") or part(notice.item, "rating")
    fields = survey("csat", rating.get("rating"))
    if fields is None:
        return []
    at = moment(rating, "updated_at") or moment(rating, "created_at") or notice.at
    return [notice.contact.event("contact_surveyed", at, "rated", revision=notice.at, **fields)]


def deleted(notice: Notice) -> Made:
    """It counts nowhere."""
    return [notice.contact.event("contact_withdrawn", notice.at, "deleted", cause="deleted")]


def moved(notice: Notice) -> Made:
    """A ticket has another state; it is over when that is of the category resolved."""
    state = part(notice.item, "ticket_state")
    over = (text(state, "category") or text(notice.item, "ticket_state_category")) == "resolved"
    return closed(notice) if over else []


KINDS: dict[str, Callable[[Notice], Made]] = {
    "conversation.user.created": created,
    "conversation.admin.single.created": created,
    "conversation.admin.assigned": assigned,
    "conversation.admin.open.assigned": assigned,
    "conversation.admin.replied": partial(replied, "agent"),
    "conversation.operator.replied": partial(replied, "bot"),
    "conversation.user.replied": partial(replied, "customer"),
    "conversation.admin.closed": closed,
    "conversation.admin.opened": opened,
    "conversation.rating.added": rated,
    "conversation.deleted": deleted,
    "ticket.created": created,
    "ticket.team.assigned": assigned,
    "ticket.admin.replied": partial(replied, "agent"),
    "ticket.contact.replied": partial(replied, "customer"),
    "ticket.state.updated": moved,
    "ticket.closed": closed,
    "ticket.rating.provided": rated,
}


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a notification."""
    item = payload["data"]["item"]
    for each in people(item.get("ticket") or item):
        yield from (each.get(name) for name in ("email", "phone"))
    for each in listed(item, "contacts"):
        yield each.get("external_id")


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read_intercom = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
