"""No batch before the one that precedes it: what keeps rows, versions and commits of a partition in order."""

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch: apply it, or drop it unacknowledged, seeking back where that helps."""

    apply: bool
    seek_to: int | None = None


@dataclass(slots=True)
class Sequence:
    """The next offset of each partition, and the gap that is being looked into.

    A batch that begins behind the next offset is out of turn: what lies between was fetched and lost, or is
    no record at all (a transaction's marker, a deleted segment). Seeking back tells: if the same batch comes
    again as the first, there is nothing between, and it is applied.
    """

    expected: dict[Hashable, int] = field(default_factory=dict)
    suspect: dict[Hashable, int] = field(default_factory=dict)

    def restart(self, partition: Hashable, offset: int) -> None:
        """Fetching goes on at `offset`, after an assignment or a seek to the committed offset."""
        self.expected[partition] = offset
        self.suspect.pop(partition, None)

    def judge(self, partition: Hashable, first: int, last: int) -> Verdict:
        """Whether the batch [first, last] may be applied now."""
        expected = self.expected.get(partition, 0)
        suspect = self.suspect.get(partition)
        if first <= expected or first == suspect:
            self.suspect.pop(partition, None)
            self.expected[partition] = max(expected, last + 1)
            return Verdict(apply=True)
        if suspect is not None and first > suspect:
            return Verdict(apply=False)  # fetched before the seek, and will be fetched again
        self.suspect[partition] = first
        return Verdict(apply=False, seek_to=expected)
