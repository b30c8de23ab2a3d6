"""Backlog: which contacts are open at a moment, and for how long they have been (docs/facts.md 10)."""

from collections.abc import Sequence

from kpis.facts import ContactFact, LegFact
from kpis.fold.response import closes
from kpis.rules import Rules, is_async, stale_after_ms
from schemas.time_units import DAY_MS

AGES_D = (1, 3, 7, 30)
BACKLOG_MEASURES = ("backlog", "backlog_age_ms", *(f"backlog_over_{days}d" for days in AGES_D))


def had_ended(legs: Sequence[LegFact], as_of: int) -> bool:
    """Had the last leg of that time closed the contact, with no agent still on an earlier one?"""
    begun = [leg for leg in legs if leg.entered_at <= as_of]
    if not begun or not closes(begun[-1]):
        return False
    return all(
        leg.ended_at is not None and leg.ended_at <= as_of
        for leg in begun
        if leg is begun[-1] or (leg.handled and closes(leg))
    )


def is_open(contact: ContactFact, legs: Sequence[LegFact], as_of: int, rules: Rules) -> bool:
    """Begun, neither ended nor closed for good; in calls and chats not silent for too long either."""
    if contact.consult_of is not None or contact.started_at > as_of:
        return False
    if any(at is not None and at <= as_of for at in (contact.ended_at, contact.closed_at)):
        return False
    silent = as_of - contact.last_event_at >= stale_after_ms(rules, contact.channel)
    if silent and not is_async(rules, contact.channel):
        return False
    return not had_ended(legs, as_of)


def backlog_measures(
    contact: ContactFact, legs: Sequence[LegFact], as_of: int, rules: Rules
) -> dict[str, int]:
    """What a contact adds at a moment; nothing where it is not open."""
    if not is_open(contact, legs, as_of, rules):
        return {}
    age = as_of - contact.started_at
    older = {f"backlog_over_{days}d": int(age > days * DAY_MS) for days in AGES_D}
    return {"backlog": 1, "backlog_age_ms": age, **older}
