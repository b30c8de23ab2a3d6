"""What an offer to an agent adds to the KPI windows (docs/facts.md 6)."""

from kpis.facts import OfferFact

# Booked when the offer was over.
OFFER_MEASURES = (
    "offers_beside",  # answered, and not counted by the answer of a leg
    "offers_missed",  # nobody reacted
    "offers_refused",
    "offers_timed_out",
    "offers_withdrawn",  # another agent took it, or the customer left: no fault of the agent
    "ring_ms",  # of offers that say how long it rang
    "ring_n",
    "missed_ring_ms",  # of those of them that the agent did not take
    "missed_ring_n",
)
NOT_TAKEN = ("missed", "refused", "timed_out")


def offer_amounts(offer: OfferFact) -> dict[str, int]:
    """Measures of one offer."""
    known, ring_ms = int(offer.ring_ms is not None), offer.ring_ms or 0
    not_taken = int(offer.outcome in NOT_TAKEN)
    counted = {} if offer.outcome == "answered" else {f"offers_{offer.outcome}": 1}
    return counted | {
        "offers_beside": offer.beside,
        "ring_ms": ring_ms,
        "ring_n": known,
        "missed_ring_ms": ring_ms * not_taken,
        "missed_ring_n": known * not_taken,
    }
