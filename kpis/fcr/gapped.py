"""A group of contacts in order where one soon after another is that one forwarded, not a repeat of it.

`min_gap_ms` lies between two beginnings at least. As in `order`, a change names whom it may concern.
"""

from bisect import bisect_left, bisect_right, insort

from kpis.facts import FcrFact
from kpis.fcr.order import NEVER, Overlapping

FOREVER = 2**63


class Gapped(Overlapping):
    """Every contact counts that begins by the gap or more after an earlier one."""

    def __init__(self, gap_ms: int) -> None:
        super().__init__()
        self._gap_ms = gap_ms

    def insert(self, fact: FcrFact) -> set[str]:
        """Take a candidate in; the ids of candidates whose neighbours may be others now."""
        return self._near(fact, super().insert(fact)) | {fact.contact_id}

    def remove(self, fact: FcrFact) -> set[str]:
        """Take a candidate out; the ids of those that stay and whose neighbours may be others."""
        return self._near(fact, super().remove(fact)) - {fact.contact_id}

    def _near(self, fact: FcrFact, touched: set[str]) -> set[str]:
        """Who looks ahead to this beginning, and who looks back to a place whose latest end has changed."""
        begin, gap = fact.begins_at, self._gap_ms
        place = bisect_left(self._order, (begin, fact.contact_id))
        before = self._order[place - 1][0] if place else NEVER
        ahead = self._between(before - gap + 1, begin - gap + 1)
        # Places whose latest end may have changed follow each other from here on, all of them touched.
        last = place
        while last < len(self._order) and self._order[last][1] in touched:
            last += 1
        until = self._order[last][0] if last < len(self._order) else FOREVER - gap
        return ahead | self._between(begin + gap, until + gap)

    def _between(self, begin: int, end: int) -> set[str]:
        """Ids of those that begin in [begin, end)."""
        first, last = bisect_left(self._order, (begin, "")), bisect_left(self._order, (end, ""))
        return {contact_id for _, contact_id in self._order[first:last]}

    def next_at(self, fact: FcrFact) -> int | None:
        """First beginning after the gap."""
        following = bisect_left(self._order, (fact.begins_at + self._gap_ms, ""))
        return self._order[following][0] if following < len(self._order) else None

    def previous_end_at(self, fact: FcrFact) -> int | None:
        """Greatest end of those that began before the gap."""
        place = bisect_left(self._order, (fact.begins_at - self._gap_ms + 1, ""))
        latest = self._latest[place - 1] if place else NEVER
        return None if latest == NEVER else latest


class GappedSuccessive:
    """A contact counts that begins after an earlier one's end and by the gap or more after its beginning.

    A change concerns the whole group: these two settings together are rare.
    """

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._begins: list[tuple[int, str]] = []
        self._ends: list[tuple[int, str, int]] = []  # end, id, beginning

    def insert(self, fact: FcrFact) -> set[str]:
        """Take a candidate in; the ids of all."""
        insort(self._begins, (fact.begins_at, fact.contact_id))
        if fact.ended_at is not None:
            insort(self._ends, (fact.ended_at, fact.contact_id, fact.begins_at))
        return {contact_id for _, contact_id in self._begins}

    def remove(self, fact: FcrFact) -> set[str]:
        """Take a candidate out; the ids of all that stay."""
        del self._begins[bisect_left(self._begins, (fact.begins_at, fact.contact_id))]
        if fact.ended_at is not None:
            del self._ends[bisect_left(self._ends, (fact.ended_at, fact.contact_id, fact.begins_at))]
        return {contact_id for _, contact_id in self._begins}

    def next_at(self, fact: FcrFact) -> int | None:
        """First beginning after the end and the gap."""
        if fact.ended_at is None:
            return None
        earliest = max(fact.ended_at + 1, fact.begins_at + self._gap_ms)
        following = bisect_left(self._begins, (earliest, ""))
        return self._begins[following][0] if following < len(self._begins) else None

    def previous_end_at(self, fact: FcrFact) -> int | None:
        """Last end before the beginning, of those that began before the gap."""
        place = bisect_right(self._ends, (fact.begins_at, "", NEVER))
        while place and self._ends[place - 1][2] > fact.begins_at - self._gap_ms:
            place -= 1
        return self._ends[place - 1][0] if place else None
