"""First response: when the first human reply came, on which leg, and how long the customer waited for it."""

from collections.abc import Sequence
from dataclasses import replace

from kpis.facts import LegFact
from kpis.rules import Rules, business_span
from schemas.events import ContactEvent, ContactReopened, ContactReplied

CLOSING_TRANSFERS = ("external", "callback", "voicemail")


def closes(leg: LegFact) -> bool:
    """Does the end of this leg end the contact? A transfer inside the house leads to another leg."""
    return leg.end_type in ("resolved", "abandoned", "rejected") or (
        leg.end_type == "transferred" and leg.end_detail in CLOSING_TRANSFERS
    )


def first_reply(events: Sequence[ContactEvent], legs: Sequence[LegFact]) -> tuple[int, int] | None:
    """(time, leg) of the first human reply: an answer, or what an agent wrote. A bot's reply is none."""
    replies = [(leg.answered_at, leg.leg) for leg in legs if leg.answered_at is not None]
    replies += [(event.occurred_at, event.leg) for event in events if type(event) is ContactReplied]
    return min(replies, default=None)


def handed_over_at(legs: Sequence[LegFact], events: Sequence[ContactEvent], started_at: int) -> int:
    """When people were first asked: the beginning of the first leg that was offered or handled.

    A leg begins when it is opened again, else with the end of the one before, as a bot hands over; after an
    end for good with its own first sign, as nobody waits in between.
    """
    place = next((at for at, leg in enumerate(legs) if leg.offered or leg.handled), 0)
    leg, leg_before = legs[place], legs[place - 1] if place else None
    reopened = [e.occurred_at for e in events if type(e) is ContactReopened and e.leg == leg.leg]
    if reopened:
        return min(reopened)
    if leg_before is None or leg_before.ended_at is None:
        return started_at
    return leg.entered_at if closes(leg_before) else leg_before.ended_at


def between(begin: int, end: int, rules: Rules) -> int | None:
    """Milliseconds from begin to end, 0 where clocks disagree within the tolerance, None beyond."""
    return max(end - begin, 0) if begin - end <= rules.skew_tolerance_ms else None


def with_first_response(
    events: Sequence[ContactEvent], legs: list[LegFact], started_at: int, rules: Rules
) -> list[LegFact]:
    """The legs of an inbound written contact, the one that replied first with the time it took."""
    found = first_reply(events, legs)
    if found is None:
        return legs
    replied_at, number = found
    opened = [
        event.occurred_at
        for event in events
        if type(event) is ContactReopened and event.by != "agent" and event.occurred_at <= replied_at
    ]
    created_ms = between(started_at, replied_at, rules)
    opened_at = max([handed_over_at(legs, events, started_at), *opened])
    return [
        replace(
            leg,
            first_reply=1,
            first_response_ms=between(opened_at, replied_at, rules),
            first_response_created_ms=created_ms,
            first_response_created_business_ms=business_span(rules, leg.queue, started_at, created_ms),
        )
        if leg.leg == number
        else leg
        for leg in legs
    ]
