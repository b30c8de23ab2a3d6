"""What a stage of the stream is: the topic it reads, the two tables it keeps, what a batch changes in them.

State is what a stage must never lose; totals can be recomputed from it. A stage says what is to be written,
streams.processor writes it, and streams.recovery finishes what a crash cut short: the same for every stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.apply import Record, Refused
from streams.batching import items_of
from streams.marker import is_marker
from streams.writer import KeyValue

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
    """A table, and the changelog topic that we write ourselves."""

    table: Any
    changelog: str

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""
        value: bytes | None = self.table.data.get(key)
        return value

    def items(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of a partition, without its marker."""
        return ((key, value) for key, value in items_of(self.table, partition) if not is_marker(key))


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

    def recount(self, partition: int) -> dict[bytes, bytes]:
        """All totals of a partition, from its state."""

    def restated(self, total: bytes | None, before: bytes | None) -> bytes:
        """A total to tell, None where there is none, to readers who have been told of another before."""

    def total_output(self, partition: int, key: bytes, value: bytes, version: int) -> Output:
        """The record that tells readers of a total."""

    def repair(self, partition: int, touched: Any, everything: bool, version: int) -> Iterator[Output]:
        """Outputs, other than totals, of what a batch touched or of everything, as the state now stands."""

    def forget(self) -> None:
        """Drop what is kept in memory: the state has become another, or may not be what memory says."""
