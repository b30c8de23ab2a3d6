"""What a stage of the stream is: the topic it reads, the two tables it keeps, what a batch changes in them.

State is what a stage must never lose; totals can be recomputed from it. A stage says what is to be written,
streams.commit writes it, and finishes what a crash cut short: the same for every stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.kafka.record import KeyValue, Record, RefusedRecord
from streams.state.table import Table

Output = tuple[str, int, KeyValue]  # topic, partition, record


class InternalRecordError(RuntimeError):
    """A record of a topic that only Ringback writes is not what it must be: a person has to look."""


def unreadable(topic: str, partition: int, record: Record, error: Exception) -> InternalRecordError:
    """What is said of such a record before the worker stops."""
    return InternalRecordError(
        f"{topic}[{partition}] offset {record.offset}: not a record that Ringback wrote "
        f"({type(error).__name__}: {error}); nothing was skipped. Did something else write to {topic}, or "
        "another version of Ringback?"
    )


@dataclass(slots=True)
class BatchWork:
    """What a batch writes. `touched` is what the marker `begun` remembers for `Stage.repair`, as JSON."""

    touched: Any = None
    states: list[tuple[bytes, bytes]] = field(default_factory=list)
    totals: dict[bytes, bytes] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)  # without those of the totals
    refused: list[RefusedRecord] = field(default_factory=list)
    applied: int = 0
    corrected: int = 0  # of those applied


class Stage(Protocol):
    """One stage. All this only computes; what a stage keeps in memory it can read again from its state."""

    @property
    def topic(self) -> str:
        """The Kafka topic whose records the stage applies."""

    @property
    def state(self) -> Table:
        """What must never be lost."""

    @property
    def totals(self) -> Table:
        """What can be recomputed from the state."""

    def apply(self, partition: int, records: Sequence[Record], version: int) -> BatchWork:
        """What a batch changes. Raises InternalRecordError."""

    async def recount(self, partition: int) -> dict[bytes, bytes]:
        """All totals of a partition, from its state, which nobody changes meanwhile."""

    def published_total(self, total: bytes | None, before: bytes | None) -> bytes:
        """A total to tell, None where there is none, to readers who have been told of another before."""

    def total_output(self, partition: int, key: bytes, value: bytes, version: int) -> Output:
        """The record that tells readers of a total."""

    def repair(self, partition: int, touched: Any, everything: bool, version: int) -> Iterator[Output]:
        """Outputs, other than totals, of what a batch touched or of everything, as the state now stands."""

    def forget(self) -> None:
        """Drop what is kept in memory: the state has become another, or may not be what memory says."""
