"""From the set of a contact's events to its facts: the one place where meaning is given to events.

The result depends on the *set* alone. Order and duplicates cannot matter, because every choice below is a
minimum or maximum under a total order.
"""

from collections.abc import Iterable
from dataclasses import replace

from kpis.facts import NO_FACTS, Facts
from kpis.fold.contact import fold_contact
from kpis.fold.flags import Flags
from kpis.fold.numbering import numbered
from kpis.fold.offers import fold_offers
from kpis.fold.relations import is_withdrawn, with_links
from kpis.fold.survey import fold_surveys, in_range
from kpis.rules import DEFAULT_RULES, Rules
from schemas.codec import encode
from schemas.events import (
    ContactClosed,
    ContactEvent,
    ContactLinked,
    ContactOffered,
    ContactReplied,
    ContactSurveyed,
    ContactWithdrawn,
)

# Neither when a contact began nor how it went on.
APART = frozenset(
    (
        ContactSurveyed,
        ContactOffered,
        ContactReplied,
        ContactClosed,
        ContactWithdrawn,
        ContactLinked,
    )
)


def strength(event: ContactEvent) -> tuple[int, bytes]:
    """Which of two events with the same event_id wins: the greatest (revision, canonical bytes)."""
    return event.revision, encode(event)


def unique(events: Iterable[ContactEvent]) -> list[ContactEvent]:
    """One event per event_id: the strongest, whichever came first."""
    winners: dict[str, ContactEvent] = {}
    for event in events:
        known = winners.get(event.event_id)
        if known is None or (known != event and strength(known) < strength(event)):
            winners[event.event_id] = event
    return list(winners.values())


def is_agents_reply(event: ContactEvent) -> bool:
    """An agent's reply is work on its leg, as an answer is; what others write is none."""
    return type(event) is ContactReplied and event.by == "agent"


def fold_unique(events: list[ContactEvent], rules: Rules = DEFAULT_RULES) -> Facts:
    """Facts of one contact from its events, each event_id once."""
    surveys = [event for event in events if type(event) is ContactSurveyed]
    events = numbered(events)
    lifecycle = [event for event in events if type(event) not in APART or is_agents_reply(event)]
    told = len(lifecycle) + len(surveys) < len(events)  # anything that is neither
    if told and is_withdrawn(events):
        return NO_FACTS
    if not lifecycle:
        return Facts(None, (), fold_surveys(surveys, None, rules), fold_offers(events, None, ()))
    if told:
        messages = [event for event in events if type(event) is ContactReplied and event.by == "customer"]
        contact, legs = fold_contact(lifecycle, rules, messages)
        contact = with_links(contact, events)
    else:
        contact, legs = fold_contact(lifecycle, rules)
    if not all(event.ignored or in_range(event) for event in surveys):
        contact = replace(contact, flags=Flags({"SCORE_RANGE"}).listed([contact.flags]))
    offers = fold_offers(events, contact, legs) if told else ()
    return Facts(contact, legs, fold_surveys(surveys, contact, rules), offers)


def fold(events: Iterable[ContactEvent], rules: Rules = DEFAULT_RULES, as_of: int | None = None) -> Facts:
    """Facts of one contact as known at `as_of` (UTC ms): events after it are invisible, without it none is.

    An event further ahead of as_of than the future tolerance raises the flag FUTURE.
    """
    distinct = unique(events)
    if as_of is None:
        return fold_unique(distinct, rules) if distinct else NO_FACTS
    visible = [event for event in distinct if event.occurred_at <= as_of]
    facts = fold_unique(visible, rules) if visible else NO_FACTS
    ahead = any(event.occurred_at > as_of + rules.future_tolerance_ms for event in distinct)
    if ahead and facts.contact is not None:
        contact = replace(facts.contact, flags=Flags({"FUTURE"}).listed([facts.contact.flags]))
        return replace(facts, contact=contact)
    return facts
