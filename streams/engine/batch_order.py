"""No batch before the one that precedes it: what keeps rows, versions and commits of a partition in order."""

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch: apply it, or drop it unacknowledged, seeking back where that helps."""

    apply: bool
    seek_to: int | None = None


@dataclass(slots=True)
class BatchOrder:
    """The next offset of each partition, and the gap that is being looked into.

    A partition that was assigned is not known until it is told where to go on (`restart`); what comes before
    that is dropped, and `restart` says if anything was, as it may have to be fetched once more.

    A batch that begins behind the next offset is out of turn: what lies between was fetched and lost, or is
    no record at all (a transaction's marker, a deleted segment). Seeking back tells: if the same batch comes
    again as the first, there is nothing between, and it is applied.
    """

    expected: dict[Hashable, int] = field(default_factory=dict)
    suspect: dict[Hashable, int] = field(default_factory=dict)
    early: set[Hashable] = field(default_factory=set)

    def forget(self, partition: Hashable) -> None:
        """The partition is assigned anew, or to another worker."""
        self.expected.pop(partition, None)
        self.suspect.pop(partition, None)
        self.early.discard(partition)

    def restart(self, partition: Hashable, offset: int) -> bool:
        """Fetching goes on at `offset`; True if batches came before this was known and were dropped."""
        self.expected[partition] = offset
        self.suspect.pop(partition, None)
        dropped = partition in self.early
        self.early.discard(partition)
        return dropped

    def judge(self, partition: Hashable, first: int, last: int) -> Verdict:
        """Whether the batch [first, last] may be applied now."""
        expected = self.expected.get(partition)
        if expected is None:
            self.early.add(partition)
            return Verdict(apply=False)
        suspect = self.suspect.get(partition)
        if first <= expected or first == suspect:
            self.suspect.pop(partition, None)
            self.expected[partition] = max(expected, last + 1)
            return Verdict(apply=True)
        if suspect is not None and first > suspect:
            return Verdict(apply=False)  # fetched before the seek, and will be fetched again
        self.suspect[partition] = first
        return Verdict(apply=False, seek_to=expected)
