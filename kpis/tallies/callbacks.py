"""Callbacks: what one request for a call back adds to the KPIs (docs/facts.md 7)."""

from collections.abc import Iterable

from kpis.facts import Facts, LegFact
from kpis.rules import Rules

CALLBACK_MEASURES = (
    "callbacks_requested",
    "callbacks_attempted",
    "callbacks_fulfilled",
    "callback_attempts",
    "callback_attempts_unanswered",
    "attempt_wait_ms",
    "answer_wait_ms",
    "answer_wait_n",
)


def request_of(legs: Iterable[LegFact]) -> LegFact | None:
    """The leg that asked for a call back: the last that ended so."""
    asked = [leg for leg in legs if (leg.end_type, leg.end_detail) == ("transferred", "callback")]
    return asked[-1] if asked else None


def first_answer(call: Facts) -> int | None:
    """When a call back was first known to be answered."""
    return min((leg.answered_at for leg in call.legs if leg.answered_at is not None), default=None)


def is_attempt(call: Facts, asked_at: int, rules: Rules) -> bool:
    """Can the call be for this request? One that was begun and answered before it cannot."""
    if call.contact is None:
        return False
    latest = max(call.contact.started_at, first_answer(call) or 0)
    return latest - asked_at >= -rules.skew_tolerance_ms


def callback_measures(request: LegFact, calls: Iterable[Facts], rules: Rules) -> dict[str, int]:
    """Measures of a request from the contacts that carry its contact's id as callback_of."""
    asked_at = request.ended_at or 0
    attempts = [call for call in calls if is_attempt(call, asked_at, rules)]
    known = [call.contact for call in attempts if call.contact is not None]
    answers = [answer for call in attempts if (answer := first_answer(call)) is not None]
    answers = [answer for answer in answers if answer - asked_at >= -rules.skew_tolerance_ms]
    return {
        "callbacks_requested": 1,
        "callbacks_attempted": int(bool(attempts)),
        "callbacks_fulfilled": int(any(contact.handled for contact in known)),
        "callback_attempts": len(attempts),
        "callback_attempts_unanswered": sum(not c.handled and c.ended_at is not None for c in known),
        "attempt_wait_ms": max(min(c.started_at for c in known) - asked_at, 0) if known else 0,
        "answer_wait_ms": max(min(answers) - asked_at, 0) if answers else 0,
        "answer_wait_n": int(bool(answers)),
    }
