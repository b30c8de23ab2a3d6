"""The value of the contact table: a contact's set of events as bytes.

Each event is its canonical bytes behind a four-byte length. Equal sets give equal bytes (sorted by event_id),
so a state can be compared and a changelog record repeated without harm.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import cast

from kpis.frozen import frozen
from schemas.codec import decode
from schemas.events import ContactEvent

LENGTH = struct.Struct(">I")


@frozen
class CanonicalEvent:
    """An event with its canonical bytes."""

    event: ContactEvent
    canonical: bytes

    @property
    def strength(self) -> tuple[int, bytes]:
        """Of two with the same event_id the greater (revision, canonical bytes) wins."""
        return self.event.revision, self.canonical


EventSet = dict[str, CanonicalEvent]


def split(state: bytes) -> Iterator[bytes]:
    """Canonical bytes of each event in a state."""
    position = 0
    while position < len(state):
        (length,) = LENGTH.unpack_from(state, position)
        position += LENGTH.size
        yield state[position : position + length]
        position += length


def unpack(state: bytes | None) -> EventSet:
    """The event set in a table value; None is a contact not seen before."""
    known = (CanonicalEvent(cast(ContactEvent, decode(raw)), raw) for raw in split(state or b""))
    return {item.event.event_id: item for item in known}


def pack(events: EventSet) -> bytes:
    """Table value of an event set."""
    return b"".join(LENGTH.pack(len(item.canonical)) + item.canonical for _, item in sorted(events.items()))


def capped(events: EventSet, most: int) -> EventSet:
    """The events that count: of too many those with the smallest ids.

    By the id, which no correction can change: what is once among too many never comes back, whatever arrives,
    so the same events are left in whatever order and however often they came, and the rest can be forgotten.
    """
    return events if len(events) <= most else {name: events[name] for name in sorted(events)[:most]}


def merge(events: EventSet, arrived: Iterable[CanonicalEvent]) -> tuple[EventSet, int]:
    """The set with what arrived in it, and how many of those changed nothing because they were known.

    The same set comes out whatever the order or number of arrivals: per event_id the strongest stays.
    """
    merged, duplicates = dict(events), 0
    for item in arrived:
        known = merged.get(item.event.event_id)
        if known is None or known.strength < item.strength:
            merged[item.event.event_id] = item
        else:
            duplicates += 1
    return merged, duplicates
