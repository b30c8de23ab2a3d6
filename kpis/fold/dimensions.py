"""Dimensions of one's own: brand, language, skill and what else events carry by name."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from schemas.events import ContactAnswered, ContactEvent, ContactQueued, ContactResolved, ContactStarted

# More names than this on one contact are none of a report's: those that sort first are kept.
MOST_DIMENSIONS = 8
Dimensions: TypeAlias = Mapping[str, str]
Carrier: TypeAlias = ContactStarted | ContactQueued | ContactAnswered | ContactResolved
CARRIERS = frozenset((ContactStarted, ContactQueued, ContactAnswered, ContactResolved))
NONE: dict[str, str] = {}


def carrying(events: Sequence[ContactEvent]) -> list[Carrier]:
    """The events that name any dimension, in order of time."""
    found = [e for e in cast("Sequence[Carrier]", events) if type(e) in CARRIERS and e.dimensions]
    if len(found) > 1:
        found.sort(key=lambda e: (e.occurred_at, e.event_id))
    return found


def latest_dimensions(carriers: Sequence[Carrier], before: Dimensions = NONE) -> dict[str, str]:
    """Of each name the latest value, else what it was before; by name."""
    if not carriers and not before:
        return NONE
    values = dict(before)
    for event in carriers:
        values |= event.dimensions or NONE
    return {name: values[name] for name in sorted(values)[:MOST_DIMENSIONS]}
