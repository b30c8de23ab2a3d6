"""A table of a stage, and what is raised where it cannot be kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.kafka.record import OffsetSpan
from streams.state.markers import is_marker
from streams.state.partition import Entry, TablePartitions


class StateStoreError(RuntimeError):
    """State on disk cannot be read or written: a person has to look."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the changelog topic that we write ourselves. Nothing else touches what tables hold."""

    partitions: TablePartitions
    changelog: str

    def get(self, key: bytes, partition: int | None = None) -> bytes | None:
        """Value of a key. Name its partition where it is known: otherwise all are looked through."""
        return self.partitions.get(key, partition)

    def put(self, partition: int, items: Sequence[Entry], span: OffsetSpan | None = None) -> None:
        """Set values whose changelog records are acknowledged; `span` are the offsets of these, if known."""
        self.partitions.of(partition).put(items, span)

    def items(self, partition: int | None, prefix: bytes = b"") -> Iterator[Entry]:
        """Keys with a prefix and their values, of one partition or of all, without markers."""
        return ((key, value) for key, value in self.partitions.items(partition, prefix) if not is_marker(key))

    @property
    def records(self) -> int:
        """Number of keys, markers included; on disk an estimate."""
        return sum(one.records for one in self.partitions.open.values())

    @property
    def size(self) -> int:
        """Bytes of keys and values; on disk an estimate, as compressed there."""
        return sum(one.size for one in self.partitions.open.values())
