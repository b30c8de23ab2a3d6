"""The total order of a contact's events."""

from schemas.events import ContactEvent

# Order of types at the same instant (facts.md 1): a contact starts before it queues before it is answered.
TYPE_RANK: dict[str, int] = {
    "contact_started": 0,
    "contact_reopened": 1,
    "contact_queued": 2,
    "contact_answered": 3,
    "contact_held": 4,
    "contact_resumed": 5,
    "contact_transferred": 6,
    "contact_abandoned": 7,
    "contact_resolved": 8,
    "contact_wrapped": 9,
    "contact_surveyed": 10,
    # Version 2 of the events: behind, so that no contact of version 1 is folded otherwise.
    "contact_offered": 11,
    "contact_replied": 12,
    "contact_rejected": 13,
    "contact_closed": 14,
    "contact_withdrawn": 15,
    "contact_linked": 16,
}


def order_key(event: ContactEvent) -> tuple[int, int, str]:
    """Total order of a contact's events: (occurred_at, type rank, event_id), whatever order they came in."""
    return event.occurred_at, TYPE_RANK[event.type], event.event_id
