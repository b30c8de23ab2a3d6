"""What an open contact is at a given moment: time is an argument, never read from a clock."""

from typing import Literal

from kpis.facts import ContactFact, LegFact
from kpis.rules import Rules, stale_after_ms

State = Literal["ended", "waiting", "active", "open", "incomplete"]


def state_at(contact: ContactFact, legs: tuple[LegFact, ...], as_of: int, rules: Rules) -> State:
    """State of a contact at `as_of` (UTC ms), from facts folded at the same as_of.

    Open and silent for longer than the stale limit is incomplete: its end was lost (END_MISSING), or the leg
    it was transferred to never came (LEG_MISSING), and it counts neither as waiting nor as active.
    """
    if contact.ended_at is not None:
        return "ended"
    if as_of - contact.last_event_at >= stale_after_ms(rules, contact.channel):
        return "incomplete"
    last = legs[-1] if legs else None
    if last is not None and last.ended_at is None:
        return "active" if last.handled else ("waiting" if last.waiting else "open")
    return "open"


def missing(contact: ContactFact, legs: tuple[LegFact, ...], as_of: int, rules: Rules) -> str:
    """Flag of an incomplete contact: END_MISSING, LEG_MISSING after a transfer inside, "" if complete."""
    if state_at(contact, legs, as_of, rules) != "incomplete":
        return ""
    return "LEG_MISSING" if legs and legs[-1].end_type == "transferred" else "END_MISSING"
