"""The contact stage: contact-events to facts, KPI windows, and what customers and agents get of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from kpis.durations import possible_durations
from kpis.facts import Facts
from kpis.fold.numbering import possible_legs
from kpis.rules import Rules
from kpis.tallies.windows import Tally, Window
from schemas.topics import CONTACT_EVENTS, CONTACT_FACTS, KPI_WINDOWS
from streams.config import Partitioner
from streams.kafka.record import Decode, Record
from streams.stages.contacts.batch import ContactChange, FactKeys, add_contribution, apply_batch, keys_of
from streams.stages.contacts.event_set import EventSet, capped, unpack
from streams.stages.contacts.folded_cache import FoldedCache, facts_of
from streams.stages.contacts.placement import Placement
from streams.stages.documents import (
    facts_document,
    tally_bytes,
    tally_of,
    window_document,
    window_key,
    window_of,
)
from streams.stages.forwards import forwards_of, update_records
from streams.stages.stage import BatchWork, Output
from streams.stages.yielding import yielding
from streams.state.table import Table

log = structlog.get_logger()
# Contacts with too many events that are named in the log; others are in the dead letters.
REPORTED_CONTACTS = 1_000
# Of each partition; some 0.6 kB each.
KEPT_WINDOWS = 20_000
TOUCHED = ("contact", "legs", "surveys", "customers", "sessions")
Fields = dict[str, Any]  # of FactKeys, as JSON
Touched = dict[str, Fields]  # by contact_id


def touched_by(change: ContactChange) -> Fields:
    """Rows that a contact had before a change or has after it, and to whom it is forwarded."""
    had, has = change.had, change.has
    return {
        "contact": had.contact or has.contact,
        "legs": sorted(had.legs | has.legs),
        "surveys": sorted(had.surveys | has.surveys),
        "customers": list(change.visits),
        "sessions": list(change.sessions),
        **({"offers": sorted(had.offers | has.offers)} if had.offers or has.offers else {}),
        "durations": sorted(had.durations | has.durations),
    }


def read_touched(fields: Fields | list[Any]) -> FactKeys:
    """What `touched_by` wrote; a marker of before has the same without names, in this order."""
    if isinstance(fields, list):
        fields = dict(zip(TOUCHED, fields, strict=True))
    contact, legs, surveys, customers, sessions = (fields[name] for name in TOUCHED)
    return FactKeys(
        contact,
        frozenset(legs),
        frozenset((kind, who) for kind, who in surveys),
        frozenset(customers),
        frozenset((agent, leg) for agent, leg in sessions),
        frozenset(fields.get("offers", ())),
        frozenset((leg, kind, at) for leg, kind, at in fields.get("durations", ())),
    )


def possible_keys(events: EventSet) -> FactKeys:
    """All that a contact with these events can ever have had, whatever the rules were."""
    known = [item.event for item in events.values()]
    legs = possible_legs(known)
    return FactKeys(
        contact=True,
        legs=frozenset(leg for numbers in legs.values() for leg in numbers),
        surveys=frozenset((e.kind, e.respondent) for e in known if e.type == "contact_surveyed"),
        customers=frozenset(c for event in known if (c := getattr(event, "customer_key", None))),
        sessions=frozenset((a, n) for e in known if (a := getattr(e, "agent", None)) for n in legs[e.leg]),
        offers=frozenset(event.event_id for event in known if event.type == "contact_offered"),
        durations=possible_durations(known),
    )


def joined(left: FactKeys, right: FactKeys) -> FactKeys:
    """Keys of the rows that either of two states of a contact had."""
    return FactKeys(
        left.contact or right.contact,
        left.legs | right.legs,
        left.surveys | right.surveys,
        left.customers | right.customers,
        left.sessions | right.sessions,
        left.offers | right.offers,
        left.durations | right.durations,
    )


class Contacts:
    """Its state is the set of events of each contact, its totals are the KPI windows."""

    topic = CONTACT_EVENTS

    def __init__(
        self,
        state: Table,
        totals: Table,
        decode: Decode,
        rules: Rules,
        partitions: int,
        partitioner: Partitioner = "murmur2",
    ) -> None:
        self.state = state
        self.totals = totals
        self.decode = decode
        self.rules = rules
        self.partitions = partitions
        self.partitioner = partitioner
        self.recent = FoldedCache(self.state_of, rules)
        self.reported: set[str] = set()
        self.tallies: dict[int, dict[Window, Tally]] = {}  # of windows that moved lately, by partition

    def state_of(self, partition: int, contact_id: str) -> bytes | None:
        """Table value of a contact."""
        return self.state.get(contact_id.encode(), partition)

    def total_of(self, partition: int) -> Callable[[Window], Tally | None]:
        """Look-up of a partition's window totals."""
        known = self.tallies.setdefault(partition, {})

        def look_up(window: Window) -> Tally | None:
            tally = known.get(window)
            if tally is not None:
                return tally
            value = self.totals.get(window_key(window, partition), partition)
            return None if value is None else tally_of(value)

        return look_up

    def apply(self, partition: int, records: Sequence[Record], version: int) -> BatchWork:
        """Events into contacts; facts, windows and forwards of the contacts that changed."""
        self.recent.trim()
        known_of = partial(self.recent.get, partition)
        placement = Placement(partition, self.partitions) if self.partitioner == "murmur2" else None
        result = apply_batch(records, self.decode, known_of, self.total_of(partition), self.rules, placement)
        self.recent.keep(partition, result.known)
        self.report(result.full)
        self.remember(partition, result.windows)
        return BatchWork(
            touched={change.contact_id: touched_by(change) for change in result.contacts},
            states=[(change.contact_id.encode(), change.state) for change in result.contacts],
            totals=encoded(result.windows, partition),
            outputs=[out for change in result.contacts for out in self.outputs(partition, change, version)],
            refused=result.refused,
            applied=result.applied,
            corrected=result.corrected,
        )

    def report(self, full: Iterable[str]) -> None:
        """Say once that a contact has more events than count."""
        for name in full:
            if name not in self.reported and len(self.reported) < REPORTED_CONTACTS:
                self.reported.add(name)
                log.warning(
                    "a contact has too many events", contact_id=name, kept=self.rules.contact_max_events
                )

    def remember(self, partition: int, windows: Mapping[Window, Tally]) -> None:
        """Totals as they are now: the next batches move mostly the same windows."""
        known = self.tallies[partition]
        if len(known) > KEPT_WINDOWS:
            known.clear()
        known.update(windows)

    def outputs(self, partition: int, change: ContactChange, version: int) -> Iterator[Output]:
        """Facts of a contact, and what its customer and its agents get of it."""
        name = change.contact_id
        yield CONTACT_FACTS, partition, (name.encode(), facts_document(change, version))
        yield from update_records(name, change.visits, change.sessions, version, self.partitions)

    async def recount(self, partition: int) -> dict[bytes, bytes]:
        """All windows of a partition from its contacts."""
        totals: dict[Window, list[int]] = {}
        async for _, state in yielding(self.state.items(partition)):
            add_contribution(totals, state, self.rules)
        return encoded(totals, partition)

    def published_total(self, total: bytes | None, before: bytes | None) -> bytes:
        """Measures; those that are not named are 0."""
        return total or b"{}"

    def total_output(self, partition: int, key: bytes, value: bytes, version: int) -> Output:
        """Record that tells readers the new tally of a window."""
        window, _ = window_of(key)
        return KPI_WINDOWS, partition, (key, window_document(window, partition, value, version))

    def repair(
        self, partition: int, touched: Touched | None, everything: bool, version: int
    ) -> Iterator[Output]:
        """Contacts as they now stand; what they had and have no more is taken back."""
        known = {name: read_touched(fields) for name, fields in (touched or {}).items()}
        if everything:
            states = ((key.decode(), value) for key, value in self.state.items(partition))
        else:
            states = (
                (name, value) for name in known if (value := self.state_of(partition, name)) is not None
            )
        for name, state in states:
            if everything and not state:  # moved to another partition, which publishes it
                continue
            events = unpack(state)
            had = known.get(name)
            if everything:
                had = possible_keys(events) if had is None else joined(had, possible_keys(events))
            if had is not None:
                yield from self.outputs(partition, self.published_anew(name, state, had, events), version)

    def published_anew(self, contact_id: str, state: bytes, had: FactKeys, events: EventSet) -> ContactChange:
        """A contact published anew, whether it changed or not."""
        facts: Facts = facts_of(capped(events, self.rules.contact_max_events), self.rules)
        new = forwards_of(facts, self.rules)
        visits = {customer: new.visits.get(customer) for customer in had.customers | new.visits.keys()}
        sessions = {where: new.sessions.get(where) for where in had.sessions | new.sessions.keys()}
        return ContactChange(contact_id, state, had, keys_of(facts), facts, visits, sessions)

    def forget(self) -> None:
        """Drop contacts and tallies kept in memory; they are read from the tables again."""
        self.recent.forget()
        self.tallies.clear()


def encoded(windows: Mapping[Window, Sequence[int]], partition: int) -> dict[bytes, bytes]:
    """Windows as keys and values of their table."""
    return {window_key(window, partition): tally_bytes(tally) for window, tally in windows.items()}
