"""Events that were kept somewhere, read again piece by piece: what every source of a replay gives.

The common form is the canonical bytes, so whatever way an event has gone it has the same id and content, and
one that is there already changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.sending.records import OutgoingRecord, event_record
from schemas.avro_schemas import by_fingerprint, current_fingerprints
from schemas.codec import HEADER_BYTES, decode, encode
from schemas.dead_letter import DeadLetter
from schemas.events import Event

# As JSON has it: where reading goes on; what is in it only its source knows.
Position = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some events read in a row. `records` have canonical bytes as value, and the pipeline's topic and key.

    `done` is how much of `History.total` is behind us with this piece; `refused` lines of files become dead
    letters as with an import; `unreadable` records of a topic are dead letters already and are only counted.
    """

    records: Sequence[OutgoingRecord]
    position: Position
    done: int
    refused: Sequence[DeadLetter] = field(default_factory=tuple)
    unreadable: int = 0


class History(Protocol):
    """A place that events can be read from again."""

    @property
    def name(self) -> str:
        """What is read, for people."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells this reading from any other: a position is good for the same identity alone."""

    def total(self) -> int | None:
        """How much there is, in the unit of `Piece.done`; None where that cannot be known."""

    def pieces(self, position: Position | None) -> Iterator[Piece]:
        """Read on from a position, or from the beginning. Raises WrongFile, OSError, ClickHouseError."""


@dataclass(frozen=True, slots=True)
class Span:
    """When events happened, [from, to) in UTC ms; everything by default."""

    from_ms: int = 0
    to_ms: int = 2**62

    def holds(self, event: Event) -> bool:
        """Did it happen in here?"""
        return self.from_ms <= event.occurred_at < self.to_ms

    @property
    def everything(self) -> bool:
        """Is nothing left out?"""
        return self == ALWAYS


ALWAYS = Span()


def canonical_record(event: Event) -> OutgoingRecord:
    """The record of an event, its canonical bytes as value."""
    return event_record(event, encode)


def todays(canonical: bytes) -> bytes:
    """Canonical bytes of an older schema as today's; those of today as they are, without decoding."""
    writer = by_fingerprint().get(canonical[2:HEADER_BYTES])
    if writer is not None and current_fingerprints()[writer.type] == canonical[2:HEADER_BYTES]:
        return canonical
    return encode(decode(canonical))
