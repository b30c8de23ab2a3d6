"""Fold of one leg: its events, in any order, to a LegFact. docs/facts.md names every repair."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar, cast

from kpis.facts import LegFact
from kpis.fold.dimensions import NONE, Dimensions, carrying, latest_dimensions
from kpis.fold.flags import Flag, Flags
from kpis.fold.hold import Holds, fold_holds
from kpis.fold.measured import TERMINALS, Terminal, own, shows_an_agent
from kpis.fold.wrap import after_contact_work, counted_wraps, is_evidence
from kpis.frozen import frozen
from kpis.rules import Rules, business_span, limits_at
from schemas.event_order import order_key
from schemas.events import (
    ContactAbandoned,
    ContactAnswered,
    ContactEvent,
    ContactHeld,
    ContactQueued,
    ContactRejected,
    ContactReopened,
    ContactReplied,
    ContactResolved,
    ContactResumed,
    ContactStarted,
    ContactTransferred,
    ContactWrapped,
)

AGENT_TRANSFERS = ("cold", "warm", "external")
Answer: TypeAlias = ContactAnswered | ContactReplied
AGENTS_ALONE = frozenset((ContactHeld, ContactResumed))
# Ends of a leg that was offered and that no agent took, other than by the customer.
FLOW_OUTS = ("transferred", "resolved", "rejected")
# Events that a contact, or a leg, has once.
DUPLICATES: dict[type, Flag] = {
    ContactStarted: "DUP_STARTED",
    ContactQueued: "DUP_QUEUED",
    ContactAnswered: "DUP_ANSWERED",
    ContactReopened: "DUP_REOPENED",
    ContactWrapped: "DUP_WRAPPED",
}
NO_HOLDS = Holds(0, 0, 0)
E = TypeVar("E")


@frozen
class Setting:
    """What a leg takes over from its contact."""

    contact_id: str
    channel: str
    direction: str
    reason: str
    dimensions: Dimensions
    began_at: int  # end of the leg before it, or start of the contact


def earliest(events: Sequence[ContactEvent], kind: type[E], flags: Flags | None = None) -> E | None:
    """First event of a type on the leg, in the total order; more than one raises a DUP flag."""
    # Not isinstance, which pydantic's models make ten times as slow; no event type has subclasses.
    found = [event for event in events if type(event) is kind]
    if len(found) < 2:
        return cast(E, found[0]) if found else None
    if flags is not None:
        flags.note(DUPLICATES[kind])
    return cast(E, min(found, key=lambda event: order_key(event)))


def earliest_reply(events: Sequence[ContactEvent]) -> ContactReplied | None:
    """What an agent wrote first: the answer of a leg that has none, if its source tells of messages only."""
    replies = [event for event in events if type(event) is ContactReplied]
    return min(replies, key=order_key, default=None)


def elapsed(start: int, end: int, rules: Rules, flags: Flags) -> int | None:
    """Milliseconds from start to end; 0 for a clock skew within tolerance, None beyond it."""
    if end >= start:
        return end - start
    within = start - end <= rules.skew_tolerance_ms
    flags.note("SKEW" if within else "NEG")
    return 0 if within else None


def find_end(events: Sequence[ContactEvent], flags: Flags) -> Terminal | None:
    """The event that ended the leg: the earliest of its terminals; later ones are ignored."""
    terminals = cast("list[Terminal]", [event for event in events if type(event) in TERMINALS])
    if len(terminals) < 2:
        return terminals[0] if terminals else None
    flags.note("MULTI_TERMINAL")
    return min(terminals, key=order_key)


def find_answer(
    answer: Answer | None, end: Terminal | None, rules: Rules, flags: Flags
) -> tuple[int, int | None]:
    """Was the leg handled, and since when? Just after the end is clock skew."""
    if answer is None:
        return 0, None
    if end is None or answer.occurred_at <= end.occurred_at:
        return 1, answer.occurred_at
    if answer.occurred_at - end.occurred_at <= rules.skew_tolerance_ms:
        flags.note("SKEW")
        return 1, end.occurred_at
    flags.note("ANSWER_AFTER_END")
    return 0, None


def agent_was_there(
    events: Sequence[ContactEvent], wrapped: ContactWrapped | None, end: Terminal | None
) -> bool:
    """Only an agent can hold, resume or wrap up, resolve as agent, transfer as agents do, or talk."""
    if any(type(event) in AGENTS_ALONE for event in events):
        return True
    if (wrapped is not None and is_evidence(end)) or shows_an_agent(end):
        return True
    if type(end) is ContactResolved:
        return end.by == "agent"
    return type(end) is ContactTransferred and end.kind in AGENT_TRANSFERS


def queue_time(
    queued_at: int | None,
    handled: int,
    answer: Answer | None,
    answered_at: int | None,
    end: Terminal | None,
    rules: Rules,
    flags: Flags,
) -> int | None:
    """Wait in queue until the answer, or until the leg ended without one; None if unknown.

    A source's own measure comes first: that of the answer, else that of the end.
    """
    if queued_at is None:
        return None
    measured = answer.wait_ms if handled and type(answer) is ContactAnswered else None
    measured = own(end, "wait_ms") if measured is None else measured
    if measured is not None:
        return measured
    until = answered_at if handled else (end.occurred_at if end else None)
    return None if until is None else elapsed(queued_at, until, rules, flags)


def business_queue_time(queue: str, queued_at: int | None, queue_ms: int | None, rules: Rules) -> int | None:
    """What of the wait lay within the queue's business hours; all of it where it is served at any time."""
    return queue_ms if queued_at is None else business_span(rules, queue, queued_at, queue_ms)


def talk_time(answered_at: int | None, end: Terminal | None, holds: Holds) -> int | None:
    """Conversation without hold; a source's own measure comes first, None if answer or end is unknown."""
    measured = own(end, "talk_ms")
    if measured is not None:
        return measured
    if answered_at is None or end is None:
        return None
    return max(end.occurred_at - answered_at - holds.total_ms, 0)


def detail(end: Terminal | None) -> str:
    """Kind of the transfer, place of the abandonment, outcome of the resolution or cause of the rejection."""
    if type(end) is ContactTransferred:
        return end.kind
    if type(end) is ContactAbandoned:
        return end.place
    if type(end) is ContactRejected:
        return end.cause
    return end.outcome if type(end) is ContactResolved else ""


def turned_away(end: Terminal | None) -> bool:
    """Did the house end it before anyone was asked: rejected, or by the system while still in the IVR?"""
    return type(end) is ContactRejected or (
        type(end) is ContactAbandoned and end.place == "ivr" and end.by == "system"
    )


def named_by(queued: ContactQueued | None, answer: Answer | None, end: Terminal | None) -> str:
    """The queue of a leg: the one it waited in, else that of the answer, else the one that refused it."""
    if queued is not None:
        return queued.queue
    if type(answer) is ContactAnswered and answer.queue:
        return answer.queue
    return (end.queue or "") if type(end) is ContactRejected else ""


def leg_dimensions(events: Sequence[ContactEvent], setting: Setting) -> dict[str, str]:
    """What the leg's own events say, else the contact's: each queue may ask for another skill."""
    return latest_dimensions(carrying(events), setting.dimensions) if setting.dimensions else NONE


def fold_leg(leg: int, events: Sequence[ContactEvent], setting: Setting, rules: Rules) -> LegFact:
    """The facts of one leg from the set of its events."""
    flags = Flags()
    types = {type(event) for event in events}  # what most legs have none of is not looked for
    queued = earliest(events, ContactQueued, flags)
    answer = earliest(events, ContactAnswered, flags) or earliest_reply(events)
    reopened = earliest(events, ContactReopened, flags) if ContactReopened in types else None
    wraps = counted_wraps(events, flags) if ContactWrapped in types else []
    wrapped = earliest(wraps, ContactWrapped, flags) if wraps else None
    end = find_end(events, flags)
    handled, answered_at = find_answer(answer, end, rules, flags)
    if answer is None and agent_was_there(events, wrapped, end):
        handled = 1
        flags.note("ANSWER_MISSING")
    began_at = reopened.occurred_at if reopened else setting.began_at
    offered = int(queued is not None and setting.direction == "inbound")
    queued_at = queued.occurred_at if queued and offered else None
    queue_ms = queue_time(queued_at, handled, answer, answered_at, end, rules, flags)
    queue = named_by(queued, answer, end)
    on_hold = handled and (own(end, "hold_ms") is not None or not types.isdisjoint(AGENTS_ALONE))
    holds = fold_holds(events, answered_at, end, flags) if on_hold else NO_HOLDS
    talk_ms = talk_time(answered_at, end, holds) if handled else None
    acw_ms, acw_known, done_at = after_contact_work(wrapped, end, flags) if handled else (0, 0, None)
    end_type = end.type.removeprefix("contact_") if end else ""
    unhandled = offered and not handled
    outside = setting.direction == "inbound" and not offered and not handled
    return LegFact(
        contact_id=setting.contact_id,
        leg=leg,
        channel=setting.channel,
        direction=setting.direction,
        queue=queue,
        agent=first_text(handled, answer.agent if answer else None, wrapped.agent if wrapped else None),
        team=first_text(handled, answer.team if answer else None),
        reason=setting.reason,
        dimensions=leg_dimensions(events, setting),
        entered_at=queued.occurred_at if queued else began_at,
        answered_at=answered_at,
        ended_at=end.occurred_at if end else None,
        handled_at=done_at,
        end_type=end_type,
        end_detail=detail(end),
        offered=offered,
        handled=handled,
        answered=int(offered and handled),
        abandoned=int(unhandled and end_type == "abandoned"),
        ivr_abandoned=int(outside and end_type == "abandoned" and not turned_away(end)),
        rejected=int(outside and turned_away(end)),
        flow_out=int(unhandled and end_type in FLOW_OUTS),
        waiting=int(unhandled and end is None),
        transferred_out=int(handled and type(end) is ContactTransferred and end.kind in AGENT_TRANSFERS),
        hold_abandon=int(handled and type(end) is ContactAbandoned and end.place == "hold"),
        queue_ms=queue_ms,
        queue_business_ms=business_queue_time(queue, queued_at, queue_ms, rules),
        talk_ms=talk_ms,
        hold_ms=holds.total_ms,
        hold_n=holds.count,
        hold_max_ms=holds.longest_ms,
        acw_ms=acw_ms,
        acw_known=acw_known,
        handle_ms=None if talk_ms is None else talk_ms + holds.total_ms + acw_ms,
        first_reply=0,
        first_response_ms=None,
        first_response_created_ms=None,
        flags=flags.listed(),
    )


def first_text(wanted: int, *candidates: str | None) -> str:
    """First text that is known, "" if none is or none is wanted."""
    return next((text for text in candidates if text), "") if wanted else ""


def by_leg(events: list[ContactEvent]) -> dict[int, list[ContactEvent]]:
    """Events grouped by leg, legs ascending."""
    numbers = {event.leg for event in events}
    if len(numbers) < 2:  # as most contacts
        return dict.fromkeys(numbers, events)
    grouped: dict[int, list[ContactEvent]] = {number: [] for number in sorted(numbers)}
    for event in events:
        grouped[event.leg].append(event)
    return grouped


def is_short(leg: LegFact, rules: Rules) -> bool:
    """Abandoned so soon that no agent could have answered: at or below the short-abandon limit."""
    limit_ms = limits_at(rules, leg.entered_at).short_abandon_ms
    return bool(leg.abandoned) and leg.queue_ms is not None and leg.queue_ms <= limit_ms
