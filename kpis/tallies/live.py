"""What a leg is at a moment, from its facts (docs/facts.md 10): moved by time as well as by events."""

from kpis.facts import LegFact
from kpis.fold.leg import is_short
from kpis.rules import Rules, is_async, stale_after_ms, target_ms

LIVE_MEASURES = ("waiting_now", "active_now", "acw_now", "live_in_target", "live_n")


def not_yet(time_ms: int | None, as_of: int) -> bool:
    """Has it not happened by then?"""
    return time_ms is None or time_ms > as_of


def is_waiting(leg: LegFact, as_of: int, rules: Rules) -> bool:
    """In queue, and not for so long that its end must have been lost."""
    answered_unseen = bool(leg.handled) and leg.answered_at is None
    in_queue = leg.entered_at <= as_of and not_yet(leg.answered_at, as_of) and not_yet(leg.ended_at, as_of)
    fresh = as_of - leg.entered_at < stale_after_ms(rules, leg.channel)
    return bool(leg.offered) and in_queue and fresh and not answered_unseen


def is_active(leg: LegFact, as_of: int, rules: Rules) -> bool:
    """With an agent, on hold included."""
    if not leg.handled or leg.answered_at is None or leg.answered_at > as_of:
        return False
    fresh = as_of - leg.answered_at < stale_after_ms(rules, leg.channel)
    return leg.entered_at <= as_of and not_yet(leg.ended_at, as_of) and fresh


def is_in_acw(leg: LegFact, as_of: int, rules: Rules) -> bool:
    """The conversation is over and the agent still wraps up, or may: where nothing is known, for a while."""
    if not leg.handled or leg.ended_at is None or leg.ended_at > as_of or leg.entered_at > as_of:
        return False
    if is_async(rules, leg.channel):
        return False
    wraps_later = leg.handled_at is not None and leg.handled_at > as_of
    return wraps_later or (not leg.acw_known and as_of - leg.ended_at < rules.acw_stale_ms)


def live_service_level(leg: LegFact, as_of: int, rules: Rules) -> tuple[int, int]:
    """Numerator and denominator of SL9: a leg counts as soon as it is answered, lost or waiting beyond T."""
    if not leg.offered or leg.entered_at > as_of:
        return 0, 0
    target = target_ms(rules, leg.channel, leg.queue, leg.entered_at)
    if is_waiting(leg, as_of, rules):
        return 0, int(as_of - leg.entered_at > target)
    if leg.queue_ms is None or (not_yet(leg.answered_at, as_of) and not_yet(leg.ended_at, as_of)):
        return 0, 0
    if leg.answered:
        return int(leg.queue_ms <= target), 1
    if leg.abandoned:
        return 0, int(not is_short(leg, rules))
    return 0, int(bool(leg.flow_out) and leg.queue_ms > target)


def live_measures(leg: LegFact, as_of: int, rules: Rules) -> dict[str, int]:
    """What a leg adds to the live KPIs."""
    in_target, counted = live_service_level(leg, as_of, rules)
    return {
        "waiting_now": int(is_waiting(leg, as_of, rules)),
        "active_now": int(is_active(leg, as_of, rules)),
        "acw_now": int(is_in_acw(leg, as_of, rules)),
        "live_in_target": in_target,
        "live_n": counted,
    }
