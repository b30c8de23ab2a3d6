"""Kafka records as the stream sees them: what is read, what is refused, what is written."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.events import Event

KeyValue = tuple[bytes, bytes | None]
OffsetSpan = tuple[int, int]  # offset of the first record, and of the one behind the last
Decode = Callable[[bytes], tuple[Event, bytes]]  # bytes -> event and its canonical bytes
# Keys of the records that Ringback writes for itself begin so, and no others do: it is no UTF-8.
RESERVED_PREFIX = b"\xff"
# Why an event of a contact that has too many is refused: no bad input, and the cap on that leaves it out.
CONTACT_FULL = "contact_full"


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record that was read."""

    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that is no event, and why; of its bytes what may be kept (schemas.dead_letter)."""

    offset: int
    reason: str
    detail: str
    payload: bytes
