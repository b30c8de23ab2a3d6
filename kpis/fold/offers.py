"""Offers of a contact to agents: each that its source tells of, with the queue of its leg."""

from collections.abc import Sequence

from kpis.facts import ContactFact, LegFact, OfferFact
from kpis.fold.dimensions import NONE
from schemas.events import ContactEvent, ContactOffered


def fold_offers(
    events: Sequence[ContactEvent], contact: ContactFact | None, legs: Sequence[LegFact]
) -> tuple[OfferFact, ...]:
    """One fact per offer, by event_id.

    An answered leg shows by itself that its agent took it, so an answered offer of it is not counted again.
    """
    by_number = {leg.leg: leg for leg in legs}
    offers = []
    for event in sorted(
        (event for event in events if type(event) is ContactOffered), key=lambda event: event.event_id
    ):
        leg = by_number.get(event.leg)
        own = contact.dimensions if contact else NONE
        offers.append(
            OfferFact(
                contact_id=event.contact_id,
                event_id=event.event_id,
                leg=event.leg,
                channel=contact.channel if contact else event.channel,
                direction=contact.direction if contact else "inbound",
                queue=leg.queue if leg else "",
                agent=event.agent,
                team=event.team or "",
                reason=contact.reason if contact else "",
                dimensions=leg.dimensions if leg else own,
                ended_at=event.occurred_at,
                outcome=event.outcome,
                ring_ms=event.ring_ms,
                beside=int(event.outcome == "answered" and not (leg and leg.answered)),
            )
        )
    return tuple(offers)
