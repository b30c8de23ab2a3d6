"""What leg_durations holds of legs, by the plain rule of its docstring."""

from collections.abc import Iterable

from kpis.facts import LegDuration, LegFact
from schemas.time_units import MINUTE_MS


def durations_of(legs: Iterable[LegFact]) -> list[LegDuration]:
    """A row where the wait of a leg is booked, if it has one, and one where its handling is."""
    found = []
    for leg in legs:
        waited = leg.entered_at if leg.offered and leg.queue_ms is not None else None
        for kind, at in (("waited", waited), ("handled", leg.handled_at if leg.handled else None)):
            if at is not None:
                found.append(
                    LegDuration(
                        kind, at - at % MINUTE_MS, leg.contact_id, leg.leg, leg.channel, leg.queue,
                        leg.answered, leg.queue_ms, leg.handle_ms, leg.hold_n, leg.hold_max_ms,
                    )
                )  # fmt: skip
    return found
