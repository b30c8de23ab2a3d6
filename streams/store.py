"""What tables hold, by partition: in memory here, or on disk (streams.disk) by configuration.

Faust's memory store has one dictionary for all partitions and a second one that says whose each key is. Here
each partition has a dictionary of its own: a tenth less memory, and a partition leaves in one step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from faust.stores.base import Store
from faust.types import TP

from streams.writer import Span

Item = tuple[bytes, bytes]
Values = Mapping[bytes, bytes | None]

FAUST_STORE = "ringback://"  # the entry point of KeptStore in pyproject.toml


class Partition(Protocol):
    """One partition of a table."""

    following: int  # every changelog record before this offset is in here; 0 where that is not known

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""

    def put(self, items: Sequence[Item], span: Span | None) -> None:
        """Set values whose changelog records are acknowledged, with offsets `span` if that is known."""

    def recover(self, fetched: Iterable[Values], following: int) -> None:
        """Set what was read of the changelog, None deletes, up to an offset."""

    def items(self, prefix: bytes = b"") -> Iterator[Item]:
        """Keys with a prefix and their values."""

    @property
    def records(self) -> int:
        """Number of keys; on disk an estimate."""

    @property
    def size(self) -> int:
        """Bytes of keys and values; on disk an estimate, as compressed there."""

    def close(self) -> None:
        """It is no longer ours; what is on disk stays there."""

    def drop(self) -> None:
        """Close it, and forget what is in it."""


class MemoryPartition:
    """A dictionary."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.following = 0
        self.get = self.values.get
        self._size: int | None = 0  # None: to be counted

    def put(self, items: Sequence[Item], span: Span | None) -> None:
        """Set values."""
        if self._size is not None:
            for key, value in dict(items).items():
                before = self.values.get(key)
                self._size += len(value) + len(key) if before is None else len(value) - len(before)
        self.values.update(items)

    def recover(self, fetched: Iterable[Values], following: int) -> None:
        """Set or delete many. Sizes are counted when asked for: that is cheaper than a look-up for each."""
        held: dict[bytes, Any] = self.values
        for values in fetched:
            held.update(values)
            if None in values.values():
                for key in [key for key, value in values.items() if value is None]:
                    del held[key]
        self._size = None

    def items(self, prefix: bytes = b"") -> Iterator[Item]:
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


class Held:
    """The partitions of a table that a worker has. `ordered`: keys with a prefix are found at once."""

    def __init__(
        self, make: Callable[[int], Partition] = lambda _: MemoryPartition(), persistent: bool = False
    ) -> None:
        self._make = make
        self.persistent = self.ordered = persistent
        self.partitions: dict[int, Partition] = {}

    def of(self, partition: int) -> Partition:
        """A partition, opened at need."""
        found = self.partitions.get(partition)
        if found is None:
            found = self.partitions[partition] = self._make(partition)
        return found

    def get(self, key: bytes, partition: int | None = None) -> bytes | None:
        """Value of a key; without its partition all that are held are looked through."""
        if partition is not None:
            held = self.partitions.get(partition)
            return None if held is None else held.get(key)
        for held in self.partitions.values():
            value = held.get(key)
            if value is not None:
                return value
        return None

    def items(self, partition: int | None, prefix: bytes = b"") -> Iterator[Item]:
        """Keys with a prefix and their values, of one partition or of all."""
        numbers = list(self.partitions) if partition is None else [partition]
        for number in numbers:
            held = self.partitions.get(number)
            if held is not None:
                yield from held.items(prefix)

    def keep_only(self, partitions: set[int]) -> None:
        """Drop from memory, or close on disk, what has moved to another worker."""
        for number in self.partitions.keys() - partitions:
            held = self.partitions.pop(number)
            held.close() if self.persistent else held.drop()

    def close(self) -> None:
        """Close what is on disk, for others to open. Memory stays: Faust knows up to where it is right."""
        if self.persistent:
            self.keep_only(set())


class KeptStore(Store):  # type: ignore[misc]  # faust is untyped to us
    """The table as Faust knows it: it asks from where to recover and says which partitions are ours."""

    @property
    def held(self) -> Held:
        """What the table holds, as streams.app made it."""
        held: Held = self.options["held"]
        return held

    def persisted_offset(self, tp: TP) -> int | None:
        """Offset of the last changelog record that is on disk, -1 for none; None in memory: Faust knows."""
        return self.held.of(tp.partition).following - 1 if self.held.persistent else None

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Faust's own way of recovery, which streams.bulk leaves nothing to do."""
        for event in batch:
            message = event.message
            self.held.of(message.partition).recover([{message.key: message.value}], message.offset + 1)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """All that is ours has been read."""
        self.held.keep_only({partition for _, partition in active_tps})

    async def on_stop(self) -> None:
        """The worker stops."""
        self.held.close()

    def reset_state(self) -> None:
        """`faust reset`, which nobody calls."""

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """Nothing: the changelog is the backup."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:
        """Nothing: the changelog is the backup."""
