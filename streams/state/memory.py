"""A partition of a table in memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from streams.kafka.record import OffsetSpan
from streams.state.partition import Changes, Entry, TablePartitions


class MemoryPartition:
    """A dictionary."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.following = 0
        self.get = self.values.get
        self._size: int | None = 0  # None: to be counted

    def put(self, items: Sequence[Entry], span: OffsetSpan | None) -> None:
        """Set values."""
        if self._size is not None:
            for key, value in dict(items).items():
                before = self.values.get(key)
                self._size += len(value) + len(key) if before is None else len(value) - len(before)
        self.values.update(items)

    def recover(self, fetched: Iterable[Changes], following: int) -> None:
        """Set or delete many. Sizes are counted when asked for: that is cheaper than a look-up for each."""
        held: dict[bytes, Any] = self.values
        for values in fetched:
            held.update(values)
            if None in values.values():
                for key in [key for key, value in values.items() if value is None]:
                    del held[key]
        self._size = None

    def items(self, prefix: bytes = b"") -> Iterator[Entry]:
        """All keys and values, or those with a prefix, which looks at every key."""
        if not prefix:
            return iter(self.values.items())
        return ((key, value) for key, value in self.values.items() if key.startswith(prefix))

    @property
    def records(self) -> int:
        """Number of keys."""
        return len(self.values)

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        if self._size is None:
            self._size = sum(map(len, self.values)) + sum(map(len, self.values.values()))
        return self._size

    def close(self) -> None:
        """Nothing to close: what is in memory is good until the offset that Faust keeps with it goes."""

    def drop(self) -> None:
        """Let everything go."""
        self.values.clear()
        self._size = 0


def in_memory() -> TablePartitions:
    """A table all of whose partitions are in memory."""
    return TablePartitions(lambda _: MemoryPartition())
