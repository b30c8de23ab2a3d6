"""What the leg that replied first to a customer adds to the KPI windows (docs/facts.md 6)."""

from bisect import bisect_left

from kpis.facts import LegFact
from kpis.rules import Rules, target_ms
from schemas.time_units import SECOND_MS

# Known times to the first response are counted by length as well, as waits are.
RESPONSE_LIMITS_S = (30, 60, 120, 300, 900, 1_800, 3_600, 14_400, 28_800, 86_400)
RESPONSE_LIMITS_MS = tuple(limit * SECOND_MS for limit in RESPONSE_LIMITS_S)
RESPONSE_MEASURES = (
    "first_response_ms",  # of legs with the first human reply of a written contact: since the last opening,
    "first_response_n",
    "first_response_created_ms",  # since the contact began,
    "first_response_created_n",
    "first_response_queued_ms",  # since the leg entered its queue
    "first_response_queued_n",
    "first_response_business_ms",  # of that the part within business hours,
    "first_response_created_business_ms",  # and of the time since the contact began
    "first_response_in_target",
    *(f"first_response_{limit}" for limit in RESPONSE_LIMITS_S),
)


def by_length(first_ms: int | None) -> dict[str, int]:
    """The one measure of its length that a known time is counted in, if it is not beyond them all."""
    if first_ms is None or first_ms > RESPONSE_LIMITS_MS[-1]:
        return {}
    return {f"first_response_{RESPONSE_LIMITS_S[bisect_left(RESPONSE_LIMITS_MS, first_ms)]}": 1}


def response_amounts(leg: LegFact, rules: Rules) -> dict[str, int]:
    """Measures of the leg with the first human reply."""
    first, created = leg.first_response_ms, leg.first_response_created_ms
    queued = leg.queue_ms if leg.answered else None
    target = target_ms(rules, leg.channel, leg.queue, leg.entered_at)
    return {
        **by_length(first),
        "first_response_ms": first or 0,
        "first_response_n": int(first is not None),
        "first_response_created_ms": created or 0,
        "first_response_created_n": int(created is not None),
        "first_response_queued_ms": queued or 0,
        "first_response_queued_n": int(queued is not None),
        "first_response_business_ms": 0 if queued is None else leg.queue_business_ms or 0,
        "first_response_created_business_ms": leg.first_response_created_business_ms or 0,
        "first_response_in_target": int(first is not None and first <= target),
    }
