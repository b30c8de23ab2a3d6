"""The contacts of one customer, judged: a change costs O(log n) and tells which facts it changed."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kpis.facts import FcrFact
from kpis.fcr.gapped import Gapped, GappedSuccessive
from kpis.fcr.order import Order, Overlapping, Successive
from kpis.fcr.visit import GroupKey, Visit, candidate, group_of, last_callback
from kpis.rules import FcrRules

FactChange = tuple[FcrFact | None, FcrFact | None]  # before, after


class CustomerContacts:
    """All contacts of one customer. The facts are those of `judge`, whatever the order they were put in."""

    def __init__(self, rules: FcrRules) -> None:
        self._rules = rules
        self._visits: dict[str, Visit] = {}
        self._callbacks: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._facts: dict[str, FcrFact] = {}
        self._groups: dict[GroupKey, Order] = {}

    def __len__(self) -> int:
        return len(self._visits)

    def facts(self) -> list[FcrFact]:
        """One fact for each contact of the customer that is a candidate."""
        return list(self._facts.values())

    def put(self, contact_id: str, visit: Visit | None) -> dict[str, FactChange]:
        """Set what is known of a contact, None if it is not this customer's; the facts that changed."""
        known = self._visits.pop(contact_id, None)
        if known == visit:
            if known is not None:
                self._visits[contact_id] = known
            return {}
        entries = [contact_id]
        if known is not None and known.callback_of is not None:
            calls = self._callbacks[known.callback_of]
            del calls[bisect_left(calls, (known.started_at, contact_id))]
            entries.append(known.callback_of)
        if visit is not None:
            self._visits[contact_id] = visit
            if visit.callback_of is not None:
                insort(self._callbacks[visit.callback_of], (visit.started_at, contact_id))
                entries.append(visit.callback_of)
        return self._rejudge(dict.fromkeys(entries))

    def _rejudge(self, entries: Iterable[str]) -> dict[str, FactChange]:
        """Put entries where they now belong and judge everyone whom that concerns."""
        before: dict[str, FcrFact | None] = {}
        for contact_id in entries:
            for concerned in self._place(contact_id, before):
                before.setdefault(concerned, self._facts.get(concerned))
        changes: dict[str, FactChange] = {}
        for contact_id, old in before.items():
            fact = self._facts.get(contact_id)
            if fact is not None:
                fact = self._facts[contact_id] = self._judged(fact)
            if fact != old:
                changes[contact_id] = (old, fact)
        return changes

    def _place(self, contact_id: str, before: dict[str, FcrFact | None]) -> set[str]:
        """Move one contact to its place in its group; whom that concerns."""
        old, new = self._facts.pop(contact_id, None), self._candidate(contact_id)
        before.setdefault(contact_id, old)
        concerned: set[str] = set()
        if old is not None:
            concerned |= self._group(old).remove(old)
        if new is not None:
            self._facts[contact_id] = new
            concerned |= self._group(new).insert(new)
        return concerned

    def _candidate(self, contact_id: str) -> FcrFact | None:
        visit = self._visits.get(contact_id)
        if visit is None:
            return None
        calls = self._callbacks.get(contact_id)
        return candidate(visit, self._visits[calls[-1][1]] if calls else None, self._rules)

    def _group(self, fact: FcrFact) -> Order:
        key = group_of(fact, self._rules)
        if key not in self._groups:
            self._groups[key] = order_by(self._rules)
        return self._groups[key]

    def _judged(self, fact: FcrFact) -> FcrFact:
        order = self._group(fact)
        next_at = order.next_at(fact) if fact.anchor else None
        previous = order.previous_end_at(fact)
        if (next_at, previous) == (fact.next_at, fact.previous_end_at):
            return fact
        return replace(fact, next_at=next_at, previous_end_at=previous)


def order_by(rules: FcrRules) -> Order:
    """An empty group, in the order that the rules ask for."""
    if rules.min_gap_ms:
        gap_ms = rules.min_gap_ms
        return Gapped(gap_ms) if rules.overlapping else GappedSuccessive(gap_ms)
    return Overlapping() if rules.overlapping else Successive()


def judge(visits: Iterable[Visit], rules: FcrRules) -> list[FcrFact]:
    """Facts of one customer's contacts, straight from docs/facts.md 8: what the index must equal."""
    known = {visit.contact_id: visit for visit in visits}
    groups: defaultdict[GroupKey, list[FcrFact]] = defaultdict(list)
    for visit in known.values():
        calls = [other for other in known.values() if other.callback_of == visit.contact_id]
        fact = candidate(visit, last_callback(calls), rules)
        if fact is not None:
            groups[group_of(fact, rules)].append(fact)
    return [fact for group in groups.values() for fact in judge_group(group, rules)]


def far_enough(earlier_at: int, later_at: int, rules: FcrRules) -> bool:
    """Is the later of two beginnings a contact of its own, and not the earlier one forwarded?"""
    return not rules.min_gap_ms or later_at - earlier_at >= rules.min_gap_ms


def judge_group(group: list[FcrFact], rules: FcrRules) -> Iterator[FcrFact]:
    """Facts of the contacts that can repeat each other."""
    ordered = sorted(group, key=lambda fact: (fact.begins_at, fact.contact_id))
    for place, fact in enumerate(ordered):
        later, earlier = ordered, ordered
        if rules.overlapping:
            later, earlier = ordered[place + 1 :], ordered[:place]
        later = [o for o in later if far_enough(fact.begins_at, o.begins_at, rules)]
        earlier = [o for o in earlier if far_enough(o.begins_at, fact.begins_at, rules)]
        if not rules.overlapping:
            ended_at = fact.ended_at
            later = [o for o in later if ended_at is not None and o.begins_at > ended_at]
            earlier = [o for o in earlier if (o.ended_at or 0) < fact.begins_at]
        following = [other.begins_at for other in later]
        ends = [other.ended_at for other in earlier if other.ended_at is not None]
        next_at = min(following, default=None) if fact.anchor else None
        yield replace(fact, next_at=next_at, previous_end_at=max(ends, default=None))
