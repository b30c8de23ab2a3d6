"""Fold of a contact over its legs."""

from collections.abc import Sequence
from operator import attrgetter
from typing import TypeAlias, cast

from kpis.facts import ContactFact, LegFact
from kpis.fold.course import wait_of
from kpis.fold.dimensions import NONE, Dimensions, carrying, latest_dimensions
from kpis.fold.flags import Flags
from kpis.fold.leg import Setting, by_leg, earliest, elapsed, fold_leg, is_short
from kpis.fold.replies import NO_REPLIES, agent_times, customer_times, exchange
from kpis.fold.response import closes, with_first_response
from kpis.rules import Rules, is_async
from schemas.event_order import order_key
from schemas.events import (
    ContactAnswered,
    ContactEvent,
    ContactReopened,
    ContactReplied,
    ContactResolved,
    ContactStarted,
    ContactSurveyed,
    ContactWrapped,
)

Carrier: TypeAlias = ContactStarted | ContactAnswered | ContactResolved
CARRIERS = frozenset((ContactStarted, ContactAnswered, ContactResolved))
BY_TIME = attrgetter("occurred_at", "event_id")
# What happens after the end without opening the contact again.
PASSIVE = frozenset((ContactStarted, ContactWrapped, ContactSurveyed, ContactReplied))


def carriers_of(events: Sequence[ContactEvent]) -> list[Carrier]:
    """Events that may name a reason and a customer."""
    return cast("list[Carrier]", [event for event in events if type(event) in CARRIERS])


def latest_reason(events: Sequence[Carrier]) -> str:
    """Contact reason of the latest event that carries one: a disposition corrects the IVR's guess."""
    carriers = [event for event in events if event.reason]
    if len(carriers) < 2:
        return carriers[0].reason or "" if carriers else ""
    return max(carriers, key=BY_TIME).reason or ""


def latest_customer(events: Sequence[Carrier]) -> str | None:
    """Customer of the latest event that carries one: a caller identified late is known from then on."""
    carriers = [event for event in events if event.customer_key]
    if len(carriers) < 2:
        return carriers[0].customer_key if carriers else None
    return max(carriers, key=BY_TIME).customer_key


def ending_leg(legs: list[LegFact]) -> LegFact | None:
    """The leg that ended the contact, if its last one closes it.

    An agent may still talk on an earlier leg when a guest who was called in leaves: then that one ends it.
    """
    last = legs[-1] if legs else None
    if last is None or not closes(last):
        return None
    if len(legs) == 1:
        return last
    hosts = [leg for leg in legs if leg.handled and closes(leg)]
    return max([*hosts, last], key=lambda leg: (leg.ended_at or 0, leg.leg))


def fold_legs(
    events: Sequence[ContactEvent],
    contact_id: str,
    channel: str,
    direction: str,
    reason: str,
    dimensions: Dimensions,
    started_at: int,
    rules: Rules,
) -> list[LegFact]:
    """All legs in order; a leg that names no queue entry begins where the one before it ended."""
    facts: list[LegFact] = []
    for number, own in by_leg([e for e in events if type(e) is not ContactStarted]).items():
        before = facts[-1].ended_at if facts else None
        began_at = started_at if before is None else before
        setting = Setting(contact_id, channel, direction, reason, dimensions, began_at)
        facts.append(fold_leg(number, own, setting, rules))
    return facts


def count_reopens(
    events: Sequence[ContactEvent], legs: list[LegFact], channel: str, rules: Rules, flags: Flags
) -> int:
    """Legs begun by a reopening; on e-mail and messaging, work after the end without one implies one."""
    reopened = {event.leg for event in events if type(event) is ContactReopened}
    if reopened or not is_async(rules, channel):
        return len(reopened)
    ends = [leg.ended_at for leg in legs if leg.ended_at is not None and closes(leg)]
    if ends and any(e.occurred_at > ends[0] for e in events if type(e) not in PASSIVE):
        flags.note("REOPEN_IMPLIED")
        return 1
    return 0


def first_of(events: Sequence[ContactEvent], at: int) -> ContactEvent:
    """The first event, of those at one time in the total order."""
    found = [event for event in events if event.occurred_at == at]
    return found[0] if len(found) == 1 else min(found, key=order_key)


def sum_known(values: list[int | None]) -> int | None:
    """Sum of the values that are known, None if none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def fold_contact(
    events: Sequence[ContactEvent], rules: Rules, messages: Sequence[ContactEvent] = ()
) -> tuple[ContactFact, tuple[LegFact, ...]]:
    """Contact and leg facts from the set of a contact's lifecycle events, of which there is one at least.

    `messages` are what the customer wrote meanwhile.
    """
    flags = Flags()
    started = earliest(events, ContactStarted, flags)
    times = [event.occurred_at for event in events]
    first = first_of(events, min(times))
    if started is None:
        flags.note("START_MISSING")
    started_at = started.occurred_at if started else first.occurred_at
    channel = started.channel if started else first.channel
    direction = started.direction if started else "inbound"
    carriers = carriers_of(events)
    reason = latest_reason(carriers)
    named = carrying(events)
    dimensions = latest_dimensions(named) if named else NONE
    legs = fold_legs(events, first.contact_id, channel, direction, reason, dimensions, started_at, rules)
    written = channel != "voice" and direction == "inbound"
    if written:
        legs = with_first_response(events, legs, started_at, rules)
    last = legs[-1] if legs else None
    end = ending_leg(legs)
    resolved = [leg.ended_at for leg in legs if leg.end_type == "resolved" and leg.ended_at is not None]
    first_at, last_at = (min(resolved), max(resolved)) if resolved else (None, None)
    replies = NO_REPLIES
    if written:
        wrote = customer_times(events, messages, started_at)
        replies = exchange(wrote, agent_times(events, legs, rules), end.ended_at if end else None)
    owner = next((leg for leg in reversed(legs) if leg.handled), None)
    entry_queue = next((leg.queue for leg in legs if leg.offered or leg.queue), "")
    resolutions = [event for event in carriers if type(event) is ContactResolved]
    end_by = ending_party(end, events)
    offers = [leg for leg in legs if leg.offered]
    offered = bool(offers)
    reopens = count_reopens(events, legs, channel, rules, flags)
    first_ms = None if first_at is None else elapsed(started_at, first_at, rules, flags)
    full_ms = None if last_at is None else elapsed(started_at, last_at, rules, flags)
    contact = ContactFact(
        contact_id=first.contact_id,
        channel=channel,
        direction=direction,
        entry=started.entry if started else "direct",
        customer_key=latest_customer(carriers),
        reason=reason,
        dimensions=dimensions,
        callback_of=started.callback_of if started else None,
        parent_contact_id=started.parent_contact_id if started else None,
        started_at=started_at,
        entered_at=offers[0].entered_at if offers else started_at,
        last_event_at=max(times),
        ended_at=end.ended_at if end else None,
        first_resolved_at=first_at,
        last_resolved_at=last_at,
        end_type=end.end_type if end else "",
        end_detail=end.end_detail if end else "",
        end_by=end_by,
        entry_queue=entry_queue,
        queue=owner.queue if owner and owner.queue else entry_queue,
        agent=owner.agent if owner else "",
        team=owner.team if owner else "",
        legs=len(legs),
        offered=int(offered),
        handled=int(owner is not None),
        transfers=sum([leg.transferred_out for leg in legs]),
        queue_ms=sum_known([leg.queue_ms for leg in legs]),
        handle_ms=sum_known([leg.handle_ms for leg in legs]),
        first_resolution_ms=first_ms,
        full_resolution_ms=full_ms,
        reopens=reopens,
        contained=int(end_by == "bot" and owner is None and not offered),
        short_abandoned=int(last is not None and owner is None and is_short(last, rules)),
        answered=int(offered and owner is not None),
        abandoned=int(offered and owner is None and last is not None and last.end_type == "abandoned"),
        wait_ms=wait_of(legs) if offered else None,
        agent_replies=replies.agent_replies,
        reply_ms=replies.reply_ms,
        reply_n=replies.reply_n,
        customer_wait_ms=replies.customer_wait_ms,
        closed_at=None,
        consult_of=None,
        forwarded_from=None,
        rejected=int(not offered and owner is None and any(leg.rejected for leg in legs)),
        level1_resolvable=int(False not in [event.level1_resolvable for event in resolutions]),
        flags=flags.listed([leg.flags for leg in legs]),
    )
    return contact, tuple(legs)


def ending_party(end: LegFact | None, events: Sequence[ContactEvent]) -> str:
    """Who resolved or abandoned the contact: agent, bot, customer or system; "" for any other end or none."""
    if end is None or end.end_type in ("transferred", "rejected"):
        return ""
    ending = f"contact_{end.end_type}"
    closing = [e for e in events if e.type == ending and e.leg == end.leg]
    last = min(closing, key=order_key) if len(closing) > 1 else (closing[0] if closing else None)
    return "" if last is None else str(last.by)  # type: ignore[union-attr]
