"""What a batch of records does to contacts and KPI windows: pure, so that live, replay and tests share it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from kpis.agents.sessions import AgentSession
from kpis.durations import DurationKey, duration_keys
from kpis.facts import Facts
from kpis.fcr.visit import Visit
from kpis.frozen import frozen
from kpis.rules import Rules
from kpis.tallies.moves import add_to, change
from kpis.tallies.windows import ZERO, Tally, Window, additions
from schemas.codec import DecodeError
from schemas.events import AgentStateChanged, ContactEvent, SourceHeartbeat
from streams.kafka.decoding import sifted
from streams.kafka.record import CONTACT_FULL, Decode, Record, RefusedRecord
from streams.stages.contacts.event_set import CanonicalEvent, EventSet, capped, merge, pack, unpack
from streams.stages.contacts.folded_cache import UNKNOWN, Folded, facts_of, folded
from streams.stages.contacts.placement import Placement
from streams.stages.forwards import forward_changes

Arrived = tuple[int, CanonicalEvent]  # offset, event


NO_OFFERS: frozenset[str] = frozenset()


@frozen
class FactKeys:
    """What a contact has had: itself, legs by number, surveys by (kind, respondent), offers by event_id,
    durations by (leg, kind, minute).

    And to whom it has been forwarded: customers, and agents by (agent, leg).
    """

    contact: bool
    legs: frozenset[int]
    surveys: frozenset[tuple[str, str]]
    customers: frozenset[str] = frozenset()
    sessions: frozenset[tuple[str, int]] = frozenset()
    offers: frozenset[str] = NO_OFFERS
    durations: frozenset[DurationKey] = frozenset()


def keys_of(facts: Facts) -> FactKeys:
    """Keys of the rows that these facts are."""
    surveys = frozenset((survey.kind, survey.respondent) for survey in facts.surveys)
    offers = frozenset(offer.event_id for offer in facts.offers) if facts.offers else NO_OFFERS
    legs = frozenset(leg.leg for leg in facts.legs)
    durations = duration_keys(facts.legs)
    return FactKeys(facts.contact is not None, legs, surveys, offers=offers, durations=durations)


@frozen
class ContactChange:
    """A contact whose event set grew: its table value, its facts, the rows it had and has, what to forward.

    `visits` are by customer, `sessions` by (agent, leg); None takes back what had been forwarded.
    """

    contact_id: str
    state: bytes
    had: FactKeys
    has: FactKeys
    facts: Facts
    visits: dict[str, Visit | None]
    sessions: dict[tuple[str, int], AgentSession | None]


@dataclass(slots=True)
class BatchResult:
    """All that a batch changes. `windows` holds new totals, not differences; `moving` those in the making."""

    contacts: list[ContactChange] = field(default_factory=list)
    known: dict[str, Folded] = field(default_factory=dict)  # all contacts of the batch, changed or not
    windows: dict[Window, Tally] = field(default_factory=dict)
    moving: dict[Window, list[int]] = field(default_factory=dict)
    refused: list[RefusedRecord] = field(default_factory=list)
    full: dict[str, int] = field(default_factory=dict)  # contacts with too many events: how many are over
    applied: int = 0
    duplicates: int = 0
    corrected: int = 0

    def move_out(self, contact_id: str, before: Folded, total_of: Callable[[Window], Tally | None]) -> None:
        """Forget a contact that is counted in its own partition from now on: a contact without events."""
        if before.events:
            self.contacts.append(changed(contact_id, before, UNKNOWN))
            self.known[contact_id] = UNKNOWN
            self.move_windows(before, UNKNOWN, total_of)

    def move_windows(self, before: Folded, after: Folded, total_of: Callable[[Window], Tally | None]) -> None:
        """Move windows by what a contact now adds to them, minus what it added before."""
        for window, step in change(before.adds, after.adds).items():
            row = self.moving.get(window)
            if row is None:
                row = self.moving[window] = list(total_of(window) or ZERO)
            add_to(row, step)

    def take(
        self, contact_id: str, events: EventSet, arrived: Sequence[Arrived], most: int
    ) -> EventSet | None:
        """The contact's events with what arrived, all counted; None where that changes nothing."""
        merged, duplicates = merge(events, (item for _, item in arrived))
        kept = capped(merged, most)
        if len(kept) < len(merged):
            self.full[contact_id] = len(merged) - len(kept)
            self.refused.extend(over(merged, kept, arrived, most))
            inside = [item for _, item in arrived if item.event.event_id in kept]
            merged, duplicates = merge({n: e for n, e in events.items() if n in kept}, inside)
            arrived = [(0, item) for item in inside]
        applied = len(arrived) - duplicates
        self.duplicates += duplicates
        self.applied += applied
        # What was applied and made the set no larger has replaced an older statement of the same event.
        self.corrected += applied - (len(merged) - sum(name in merged for name in events))
        return merged if applied else None


OTHER_TOPICS = frozenset((AgentStateChanged, SourceHeartbeat))


def read(record: Record, decode: Decode) -> CanonicalEvent:
    """The contact event in a record. Raises DecodeError."""
    if record.value is None:
        raise DecodeError("empty", "the record has no value")
    decoded, canonical = decode(record.value)
    if type(decoded) in OTHER_TOPICS:  # isinstance is dear on pydantic's models
        raise DecodeError("wrong_topic", f"{decoded.type} has a topic of its own")
    event = cast(ContactEvent, decoded)
    if record.key != event.contact_id.encode():
        raise DecodeError("wrong_key", "the record's key is not its contact_id; key events by contact_id")
    return CanonicalEvent(event, canonical)


def read_all(
    records: Iterable[Record], decode: Decode
) -> tuple[dict[str, list[Arrived]], list[RefusedRecord]]:
    """Events by contact with their offsets, and what was refused."""
    arrived: dict[str, list[Arrived]] = {}
    found, refused = sifted(records, lambda record: (record.offset, read(record, decode)))
    for offset, known in found:
        arrived.setdefault(known.event.contact_id, []).append((offset, known))
    return arrived, refused


def over(merged: EventSet, kept: EventSet, arrived: Sequence[Arrived], most: int) -> list[RefusedRecord]:
    """Dead letters of what a contact has too much: what arrived, and what was kept until now.

    What was kept until now has no offset any more; it gets that of the event which came last.
    """
    if len(merged) == len(kept):
        return []
    contact_id = arrived[0][1].event.contact_id
    detail = f"contact {contact_id} has more than {most:,} events; those with the smallest event_ids count"
    came = [(at, item) for at, item in arrived if item.event.event_id not in kept]
    names = {item.event.event_id for _, item in came}
    gone = [item for name, item in merged.items() if name not in kept and name not in names]
    behind = [(arrived[-1][0], item) for item in gone]
    return [RefusedRecord(at, CONTACT_FULL, detail, item.canonical) for at, item in [*came, *behind]]


def changed(contact_id: str, before: Folded, after: Folded) -> ContactChange:
    """A contact that has become another."""
    old, new = before.forwards, after.forwards
    return ContactChange(
        contact_id,
        pack(after.events),
        keys_of(before.facts),
        keys_of(after.facts),
        after.facts,
        forward_changes(old.visits, new.visits),
        forward_changes(old.sessions, new.sessions),
    )


def apply_batch(
    records: Sequence[Record],
    decode: Decode,
    known_of: Callable[[str], Folded],
    total_of: Callable[[Window], Tally | None],
    rules: Rules,
    placement: Placement | None = None,
) -> BatchResult:
    """Apply one partition's records to the state as it stands; nothing is written here.

    `known_of` gives a contact as it stands, `total_of` a window's tally of this partition. Windows move by
    the contact's new contribution minus its old one, so an event that is already known moves nothing. With a
    `placement` contacts are refused that belong in another partition.
    """
    moved: set[str] = set()
    if placement is not None:
        records, moved = placement.without_moved(records)
    arrived, refused = read_all(records, decode)
    result = BatchResult(refused=refused)
    for contact_id in sorted(moved):
        result.move_out(contact_id, known_of(contact_id), total_of)
    for contact_id, items in arrived.items():
        before = UNKNOWN if contact_id in moved else known_of(contact_id)
        if placement is not None and not before.events and not placement.holds(contact_id.encode()):
            result.refused.extend(placement.refused(contact_id, items))
            continue
        kept = result.take(contact_id, before.events, items, rules.contact_max_events)
        if kept is None:
            result.known[contact_id] = before
            continue
        after = folded(kept, rules)
        result.known[contact_id] = after
        result.contacts.append(changed(contact_id, before, after))
        result.move_windows(before, after, total_of)
    result.windows = {window: tuple(row) for window, row in result.moving.items()}
    return result


def add_contribution(totals: dict[Window, list[int]], state: bytes, rules: Rules) -> None:
    """Add a contact to window totals. With all contacts of a partition they are what its table must equal.

    One that has moved to another partition has no events left.
    """
    if not state:
        return
    facts = facts_of(capped(unpack(state), rules.contact_max_events), rules)
    for window, amounts in additions(facts, rules).items():
        row = totals.get(window)
        if row is None:
            row = totals[window] = list(ZERO)
        add_to(row, amounts)
