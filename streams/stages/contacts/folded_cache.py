"""What a contact was when it was last folded, kept in memory for those that were touched lately.

A contact's events come within minutes. Without this each batch would decode its stored events again and fold
them twice, before and after. Everything here follows from the state: `tests/property` compares with worlds in
which nothing is kept.
"""

from collections.abc import Callable, Mapping
from itertools import islice

from kpis.facts import NO_FACTS, Facts
from kpis.fold.events import fold_unique
from kpis.frozen import frozen
from kpis.rules import Rules
from kpis.tallies.windows import Additions, additions
from schemas.events import ContactEvent
from streams.stages.contacts.event_set import EventSet, capped, unpack
from streams.stages.forwards import Forwards, forwards_of

# Some 10 kB each.
KEPT_CONTACTS = 10_000


@frozen
class Folded:
    """A contact's events and all that follows from them."""

    events: EventSet
    facts: Facts
    forwards: Forwards
    adds: Additions


UNKNOWN = Folded({}, NO_FACTS, Forwards({}, {}), {})


def facts_of(events: EventSet, rules: Rules) -> Facts:
    """Facts of an event set."""
    known: list[ContactEvent] = [item.event for item in events.values()]
    return fold_unique(known, rules) if known else NO_FACTS


def folded(events: EventSet, rules: Rules) -> Folded:
    """Facts of an event set, what the contact passes on, and what it adds to windows."""
    facts = facts_of(events, rules)
    return Folded(events, facts, forwards_of(facts, rules), additions(facts, rules))


class FoldedCache:
    """Contacts by partition and id, at most so many, those touched last; others are read from `state_of`."""

    def __init__(
        self, state_of: Callable[[int, str], bytes | None], rules: Rules, most: int = KEPT_CONTACTS
    ) -> None:
        self._state_of = state_of
        self._rules = rules
        self.most = most
        self._kept: dict[tuple[int, str], Folded] = {}

    def get(self, partition: int, contact_id: str) -> Folded:
        """A contact as it stands; one without events where it is not known."""
        known = self._kept.pop((partition, contact_id), None)  # and put back at the end: touched last
        if known is not None:
            return known
        state = self._state_of(partition, contact_id)
        if not state:
            return UNKNOWN
        return folded(capped(unpack(state), self._rules.contact_max_events), self._rules)

    def keep(self, partition: int, contacts: Mapping[str, Folded]) -> None:
        """They stand so from now on; the state must follow, or `forget` be called."""
        for contact_id, contact in contacts.items():
            self._kept[partition, contact_id] = contact

    def trim(self) -> None:
        """Let the oldest go. Whose batch is not written yet is not asked for before it is."""
        for where in list(islice(self._kept, max(len(self._kept) - self.most, 0))):
            del self._kept[where]

    def forget(self) -> None:
        """The state has become another."""
        self._kept.clear()
