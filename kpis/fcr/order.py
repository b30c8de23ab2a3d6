"""One group of a customer's contacts in order, so that a change names whom it concerns.

Two rules, one interface: with overlapping contacts the next contact is the next in the order; without them
it is the first that begins after the end. `insert` and `remove` return the ids whose neighbours may have
changed. A place is found by halves, then the list behind it is moved: 32 us for a contact that follows
100,000 others, 150 us for one that moves among them (python -m bench.repeats).
"""

from bisect import bisect_left, bisect_right, insort
from typing import Protocol

from kpis.facts import FcrFact

NEVER = -1  # before every time that an event can have
LAST_ID = chr(0x10FFFF)


class Order(Protocol):
    """The candidates of a group in order: which comes after which, and who is judged anew."""

    def insert(self, fact: FcrFact) -> set[str]:
        """Take a candidate in; the ids of candidates whose neighbours may be others now."""

    def remove(self, fact: FcrFact) -> set[str]:
        """Take a candidate out; the ids of those that stay and whose neighbours may be others."""

    def next_at(self, fact: FcrFact) -> int | None:
        """When the next contact after an anchor begins."""

    def previous_end_at(self, fact: FcrFact) -> int | None:
        """The latest end of the anchors before a candidate."""


class Overlapping:
    """Every later contact counts, also one that began before the earlier ended."""

    def __init__(self) -> None:
        self._order: list[tuple[int, str]] = []
        self._ends: dict[str, int] = {}
        self._latest: list[int] = []  # greatest end of the anchors up to and including this place

    def insert(self, fact: FcrFact) -> set[str]:
        """Take a candidate in; the ids of candidates whose neighbours may be others now."""
        place = bisect_left(self._order, (fact.begins_at, fact.contact_id))
        self._order.insert(place, (fact.begins_at, fact.contact_id))
        self._ends[fact.contact_id] = NEVER if fact.ended_at is None else fact.ended_at
        self._latest.insert(place, NEVER - 1)  # unlike any true value: it has to be computed
        return self._settle(place)

    def remove(self, fact: FcrFact) -> set[str]:
        """Take a candidate out; the ids of those that stay and whose neighbours may be others."""
        place = bisect_left(self._order, (fact.begins_at, fact.contact_id))
        del self._order[place], self._latest[place], self._ends[fact.contact_id]
        return self._settle(place)

    def _settle(self, place: int) -> set[str]:
        """Compute the latest ends from a place on, as far as they change."""
        concerned = {self._order[near][1] for near in (place - 1, place) if 0 <= near < len(self._order)}
        before = self._latest[place - 1] if place else NEVER
        for at in range(place, len(self._order)):
            concerned.add(self._order[at][1])
            before = max(before, self._ends[self._order[at][1]])
            if at > place and self._latest[at] == before:
                break
            self._latest[at] = before
        return concerned

    def next_at(self, fact: FcrFact) -> int | None:
        """Beginning of the next in the order."""
        following = bisect_right(self._order, (fact.begins_at, fact.contact_id))
        return self._order[following][0] if following < len(self._order) else None

    def previous_end_at(self, fact: FcrFact) -> int | None:
        """Greatest end of those before in the order."""
        place = bisect_left(self._order, (fact.begins_at, fact.contact_id))
        latest = self._latest[place - 1] if place else NEVER
        return None if latest == NEVER else latest


class Successive:
    """Only a contact that begins after the end of an earlier one counts as its repeat."""

    def __init__(self) -> None:
        self._begins: list[tuple[int, str]] = []
        self._ends: list[tuple[int, str]] = []

    def insert(self, fact: FcrFact) -> set[str]:
        """Take a candidate in; the ids of candidates whose neighbours may be others now."""
        insort(self._begins, (fact.begins_at, fact.contact_id))
        if fact.ended_at is not None:
            insort(self._ends, (fact.ended_at, fact.contact_id))
        return self._concerned(fact)

    def remove(self, fact: FcrFact) -> set[str]:
        """Take a candidate out; the ids of those that stay and whose neighbours may be others."""
        del self._begins[bisect_left(self._begins, (fact.begins_at, fact.contact_id))]
        if fact.ended_at is not None:
            del self._ends[bisect_left(self._ends, (fact.ended_at, fact.contact_id))]
        return self._concerned(fact) - {fact.contact_id}

    def _concerned(self, fact: FcrFact) -> set[str]:
        """Anchors that end between the previous beginning and this one's, and the like for its end."""
        place = bisect_left(self._begins, (fact.begins_at, ""))
        before = self._begins[place - 1][0] if place else NEVER
        ends = self._ends[
            bisect_left(self._ends, (before, "")) : bisect_left(self._ends, (fact.begins_at, ""))
        ]
        concerned = {fact.contact_id} | {contact_id for _, contact_id in ends}
        if fact.ended_at is None:
            return concerned
        following = bisect_right(self._ends, (fact.ended_at, LAST_ID))
        first = bisect_right(self._begins, (fact.ended_at, LAST_ID))
        last = len(self._begins)
        if following < len(self._ends):
            last = bisect_right(self._begins, (self._ends[following][0], LAST_ID))
        return concerned | {contact_id for _, contact_id in self._begins[first:last]}

    def next_at(self, fact: FcrFact) -> int | None:
        """First beginning after the end."""
        if fact.ended_at is None:
            return None
        following = bisect_right(self._begins, (fact.ended_at, LAST_ID))
        return self._begins[following][0] if following < len(self._begins) else None

    def previous_end_at(self, fact: FcrFact) -> int | None:
        """Last end before the beginning."""
        before = bisect_left(self._ends, (fact.begins_at, ""))
        return self._ends[before - 1][0] if before else None
