"""What a stage of the stream is: the topic it reads, the two tables it keeps, what a batch changes in them.

State is what a stage must never lose; totals can be recomputed from it. A stage says what is to be written,
streams.processor writes it, and streams.recovery finishes what a crash cut short: the same for every stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.apply import Record, Refused
from streams.marker import is_marker
from streams.store import Held
from streams.writer import KeyValue, Span

Output = tuple[str, int, KeyValue]  # topic, partition, record


class InternalRecordError(RuntimeError):
    """A record of a topic that only Ringback writes is not what it must be: a person has to look."""


def unreadable(source: str, partition: int, record: Record, error: Exception) -> InternalRecordError:
    """What is said of such a record before the worker stops."""
    return InternalRecordError(
        f"{source}[{partition}] offset {record.offset}: not a record that Ringback wrote "
        f"({type(error).__name__}: {error}); nothing was skipped. Did something else write to {source}, or "
        "another version of Ringback?"
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """A table, and the changelog topic that we write ourselves. Nothing else touches what tables hold."""

    held: Held
    changelog: str

    def get(self, key: bytes, partition: int | None = None) -> bytes | None:
        """Value of a key. Name its partition where it is known: otherwise all are looked through."""
        return self.held.get(key, partition)

    def put(self, partition: int, items: Sequence[tuple[bytes, bytes]], span: Span | None = None) -> None:
        """Set values whose changelog records are acknowledged; `span` are the offsets of these, if known."""
        self.held.of(partition).put(items, span)

    def items(self, partition: int | None, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, of one partition or of all, without markers."""
        return ((key, value) for key, value in self.held.items(partition, prefix) if not is_marker(key))

    @property
    def records(self) -> int:
        """Number of keys, markers included; on disk an estimate."""
        return sum(held.records for held in self.held.partitions.values())

    @property
    def size(self) -> int:
        """Bytes of keys and values; on disk an estimate, as compressed there."""
        return sum(held.size for held in self.held.partitions.values())


@dataclass(slots=True)
class Work:
    """What a batch writes. `touched` is what the marker `begun` remembers for `Stage.repair`, as JSON."""

    touched: Any = None
    states: list[tuple[bytes, bytes]] = field(default_factory=list)
    totals: dict[bytes, bytes] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)  # without those of the totals
    refused: list[Refused] = field(default_factory=list)
    applied: int = 0
    corrected: int = 0  # of those applied


class Stage(Protocol):
    """One stage. All this only computes; what a stage keeps in memory it can read again from its state."""

    @property
    def source(self) -> str:
        """The topic it reads."""

    @property
    def state(self) -> Kept:
        """What must never be lost."""

    @property
    def totals(self) -> Kept:
        """What can be recomputed from the state."""

    def apply(self, partition: int, records: Sequence[Record], version: int) -> Work:
        """What a batch changes. Raises InternalRecordError."""

    async def recount(self, partition: int) -> dict[bytes, bytes]:
        """All totals of a partition, from its state, which nobody changes meanwhile."""

    def restated(self, total: bytes | None, before: bytes | None) -> bytes:
        """A total to tell, None where there is none, to readers who have been told of another before."""

    def total_output(self, partition: int, key: bytes, value: bytes, version: int) -> Output:
        """The record that tells readers of a total."""

    def repair(self, partition: int, touched: Any, everything: bool, version: int) -> Iterator[Output]:
        """Outputs, other than totals, of what a batch touched or of everything, as the state now stands."""

    def forget(self) -> None:
        """Drop what is kept in memory: the state has become another, or may not be what memory says."""
