"""Which leg an event is of: a reopening that follows an end on its leg begins a leg of its own.

A help desk tells that a ticket was opened again, not how often it was before: all its events carry leg 1.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from kpis.fold.measured import TERMINALS
from schemas.event_order import order_key
from schemas.events import ContactEvent, ContactReopened

Place: TypeAlias = tuple[int, tuple[int, int, str]]  # leg, place in the total order


def place_of(event: ContactEvent) -> Place:
    """Where an event stands: by leg, then in the total order."""
    return event.leg, order_key(event)


def openings(events: Sequence[ContactEvent]) -> list[Place]:
    """The reopenings that begin a leg of their own: right behind an end, of ends and reopenings on a leg."""
    marks = sorted([e for e in events if type(e) is ContactReopened or type(e) in TERMINALS], key=place_of)
    return [
        place_of(event)
        for before, event in pairwise(marks)
        if type(event) is ContactReopened and type(before) in TERMINALS and before.leg == event.leg
    ]


def numbered(events: list[ContactEvent]) -> list[ContactEvent]:
    """The events, each with its number plus that of the openings on lower legs, and on its own not later."""
    if ContactReopened not in {type(event) for event in events}:
        return events
    found = openings(events)
    if not found:
        return events
    return [e.model_copy(update={"leg": e.leg + bisect_right(found, place_of(e))}) for e in events]


def possible_legs(events: Iterable[ContactEvent]) -> dict[int, range]:
    """By the number that events carry those that their legs may have, whichever of the events are known."""
    known = [*events]
    reopened = sorted([event.leg for event in known if type(event) is ContactReopened])
    numbers = {event.leg for event in known}
    return {number: range(number, number + bisect_right(reopened, number) + 1) for number in numbers}
