"""What a stage of the stream is: the topic it reads, the two tables it keeps, what a batch changes in them.

State is what a stage must never lose; totals can be recomputed from it. A stage says what is to be written,
streams.commit writes it, and finishes what a crash cut short: the same for every stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.codec import DecodeError
from schemas.dead_letter import kept_record
from streams.kafka.record import KeyValue, Record, RefusedRecord
from streams.state.table import Table

Output = tuple[str, int, KeyValue]  # topic, partition, record


# A record of a topic that only Ringback writes is none that it wrote.
ALIEN = "alien"
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, DecodeError)


def alien(topic: str, record: Record, error: Exception) -> RefusedRecord:
    """The dead letter of such a record: what may have written it, and of its words none.

    Whoever wrote it may have meant an event with a customer in it, and an error can quote that.
    """
    detail = (
        f"not a record that Ringback wrote ({type(error).__name__}). Did something else write to {topic}, or "
        "another version of Ringback?"
    )
    return RefusedRecord(record.offset, ALIEN, detail, kept_record(ALIEN, record.value or b""))


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
        """What a batch changes."""

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
