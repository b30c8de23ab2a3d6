"""Which keys of a state table belong to which owner: asked of a store in order of keys, or kept in memory."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import orjson

from streams.state.table import Table

History = TypeVar("History")


# Histories that are kept of a store on disk, which is there to bound memory: some 5 kB each.
KEPT_OF_DISK = 20_000


def owner_prefix(owner: str) -> bytes:
    """What all keys of an owner begin with, and no others."""
    return orjson.dumps([owner])[:-1] + b","


class Owners(Generic[History]):
    """Histories of owners (customers, agents), read from the table when first asked for, and kept.

    Keys of the table are JSON lists whose first item is the owner. `read` makes a history from an owner's
    keys and values. A store on disk is in order of keys, and finds an owner's; of one in memory a directory
    is made. Everything here follows from the table; `forget` is always right between batches.
    """

    def __init__(
        self, state: Table, read: Callable[[str, Iterator[tuple[bytes, bytes]]], History], most: int
    ) -> None:
        self._state = state
        self._read = read
        self.most = min(most, KEPT_OF_DISK) if state.partitions.ordered else most
        self._keys: dict[str, dict[bytes, None]] | None = None
        self._histories: dict[str, History] = {}

    def forget(self) -> None:
        """The table has become another."""
        self._keys = None
        self._histories.clear()

    def trim(self) -> None:
        """Let histories go where there are too many; only between batches, as the table has them then."""
        if len(self._histories) > self.most:
            self._histories.clear()

    def directory(self) -> dict[str, dict[bytes, None]]:
        """Keys by owner, of all partitions of this worker."""
        if self._keys is None:
            self._keys = {}
            for key, _ in self._state.items(None):
                self._keys.setdefault(orjson.loads(key)[0], {})[key] = None
        return self._keys

    def keys(self, owner: str, partition: int | None = None) -> list[bytes]:
        """Keys of an owner."""
        if self._state.partitions.ordered:
            return [key for key, _ in self._state.items(partition, owner_prefix(owner))]
        return list(self.directory().get(owner, ()))

    def add(self, owner: str, key: bytes) -> None:
        """A key that will be in the table when this batch is written."""
        if not self._state.partitions.ordered:
            self.directory().setdefault(owner, {})[key] = None

    def read(self, owner: str, partition: int | None = None) -> History:
        """History of an owner as the table has it, not kept."""
        if self._state.partitions.ordered:
            return self._read(owner, self._state.items(partition, owner_prefix(owner)))
        items = (
            (key, value) for key in self.keys(owner) if (value := self._state.get(key, partition)) is not None
        )
        return self._read(owner, items)

    def get(self, owner: str, partition: int | None = None) -> History:
        """History of an owner, kept: whoever changes it must see to it that the table follows, or forget."""
        history = self._histories.get(owner)
        if history is None:
            history = self._histories[owner] = self.read(owner, partition)
        return history

    def in_partition(self, partition: int) -> list[str]:
        """Owners with keys in a partition."""
        found = {orjson.loads(key)[0]: None for key, _ in self._state.items(partition)}
        return list(found)
