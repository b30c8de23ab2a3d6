"""At which minutes a leg's wait and its handling are booked: keys of kpis.facts.LegDuration."""

from collections.abc import Iterable

from kpis.facts import LegFact
from kpis.fold.numbering import possible_legs
from schemas.events import ContactEvent, ContactQueued
from schemas.time_units import MINUTE_MS

WAITED, HANDLED = "waited", "handled"
DurationKey = tuple[int, str, int]  # leg, kind, begin of the minute
BOOKED_BY = ("offered", "queue_ms", "entered_at", "handled", "handled_at")  # fields of LegFact
# Of a leg that an agent had, the last of these is when the agent was done with it.
FINISHING = frozenset(
    ("contact_wrapped", "contact_transferred", "contact_abandoned", "contact_resolved", "contact_rejected")
)


def minute(at_ms: int) -> int:
    """Begin of the minute."""
    return at_ms // MINUTE_MS * MINUTE_MS


def booked(
    offered: int, queue_ms: int | None, entered_at: int, handled: int, handled_at: int | None
) -> list[tuple[str, int]]:
    """Kind and minute of each duration of a leg."""
    found = []
    if offered and queue_ms is not None:
        found.append((WAITED, minute(entered_at)))
    if handled and handled_at is not None:
        found.append((HANDLED, minute(handled_at)))
    return found


def duration_keys(legs: Iterable[LegFact]) -> frozenset[DurationKey]:
    """Keys of all durations of a contact's legs."""
    # Fields are named, not picked by BOOKED_BY: this is done for every change of a contact.
    return frozenset(
        [
            (leg.leg, kind, at)
            for leg in legs
            for kind, at in booked(leg.offered, leg.queue_ms, leg.entered_at, leg.handled, leg.handled_at)
        ]
    )


def possible_durations(events: Iterable[ContactEvent]) -> frozenset[DurationKey]:
    """Keys that a contact with these events can ever have had, whatever the rules were."""
    known = [*events]
    legs = possible_legs(known)
    return frozenset(
        (leg, WAITED if type(event) is ContactQueued else HANDLED, minute(event.occurred_at))
        for event in known
        if type(event) is ContactQueued or event.type in FINISHING
        for leg in legs[event.leg]
    )
