"""A contact with too many events: the same ones count in whatever order and however often they came."""

import random
from dataclasses import replace

import zstandard
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import RULES, contacts

from kpis.facts import NO_FACTS
from kpis.fold.events import fold, unique
from kpis.rules import DEFAULT_RULES, Rules
from kpis.tallies.windows import ZERO, Tally, Window, contribution
from schemas.codec import encode
from schemas.events import ContactEvent, ContactStarted
from streams.commit.publisher import Publisher
from streams.config import StreamConfig
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import CONTACT_FULL, Record
from streams.kafka.topics import CHANGELOG
from streams.kafka.writer import BatchWriter
from streams.stages.contacts.batch import BatchResult, apply_batch
from streams.stages.contacts.event_set import CanonicalEvent, pack, unpack
from streams.stages.contacts.folded_cache import FoldedCache


class World:
    """A contact's state, the windows, and what was refused."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.state: bytes | None = None
        self.windows: dict[Window, Tally] = {}
        self.refused: set[str] = set()
        self.offset = 0

    def take(self, events: list[ContactEvent]) -> BatchResult:
        """Apply a batch, reading the contact from its state, as after a restart."""
        records = [
            Record(self.offset + number, event.contact_id.encode(), encode(event))
            for number, event in enumerate(events)
        ]
        self.offset += len(events)
        cache = FoldedCache(lambda _, __: self.state, self.rules)
        result = apply_batch(
            records, decode_single_object, lambda name: cache.get(0, name), self.windows.get, self.rules
        )
        for change in result.contacts:
            self.state = change.state
        self.windows |= result.windows
        assert all(item.reason == CONTACT_FULL for item in result.refused)
        self.refused |= {decode_single_object(item.payload)[0].event_id for item in result.refused}
        return result


def present(windows: dict[Window, Tally]) -> dict[Window, Tally]:
    return {window: tally for window, tally in windows.items() if tally != ZERO}


@given(contacts(most=14), st.integers(1, 8), st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_events_that_count_are_a_function_of_the_set(
    events: list[ContactEvent], most: int, rng: random.Random, size: int
) -> None:
    rules = replace(RULES, contact_max_events=most)
    kept = sorted(unique(events), key=lambda event: event.event_id)[:most]
    facts = fold(kept, rules) if kept else NO_FACTS
    world = World(rules)
    arrivals = events + rng.choices(events, k=len(events)) if events else []
    rng.shuffle(arrivals)
    for begin in range(0, len(arrivals), size):
        result = world.take(arrivals[begin : begin + size])
        inside = [item for item in result.refused if item.offset >= world.offset - size]
        assert result.applied >= 0 <= result.duplicates
        assert len(inside) == len(result.refused)  # an offset of this batch each
    assert {item.event for item in unpack(world.state).values()} == set(kept)
    assert present(world.windows) == present(dict(contribution(facts, rules)))
    # Every event is either counted or in the dead letters, and none is both.
    assert world.refused == {event.event_id for event in events} - {event.event_id for event in kept}


def test_a_state_of_before_with_too_many_events_is_cut_when_it_is_touched() -> None:
    rules = replace(RULES, contact_max_events=3)
    events = [
        ContactStarted(event_id=f"e{number}", contact_id="c", occurred_at=1_770_000_000_000, source="x")
        for number in range(9)
    ]
    world = World(rules)
    known = {event.event_id: CanonicalEvent(event, encode(event)) for event in events[1:]}
    world.state = pack(known)
    result = world.take(events[:1])
    assert sorted(unpack(world.state)) == ["e0", "e1", "e2"]
    assert result.full == {"c": 1}


def test_the_most_and_longest_events_fit_into_a_changelog_record() -> None:
    rng = random.Random(1)

    def text() -> str:
        return "".join(chr(rng.randrange(0x10000, 0x10FFFF)) for _ in range(256))

    name, found = text(), {}
    for _ in range(DEFAULT_RULES.contact_max_events):
        event = ContactStarted(
            event_id=text(), contact_id=name, occurred_at=1_770_000_000_000, source=text(),
            customer_key=text(), reason=text(), callback_of=text(), parent_contact_id=text(),
        )  # fmt: skip
        found[event.event_id] = CanonicalEvent(event, encode(event))
    packed = zstandard.ZstdCompressor(level=3).compress(pack(found))
    assert len(packed) < int(CHANGELOG["max.message.bytes"]) * 0.9


def test_a_full_contact_does_not_stop_the_worker() -> None:
    """What comes for it is no bad input: the cap on dead letters leaves it out."""
    rules = replace(RULES, contact_max_events=1)
    world = World(rules)
    publisher = Publisher(StreamConfig(dead_letter_window=10), "contact-events", BatchWriter(""), lambda: 0)
    for number in range(100):
        event = ContactStarted(
            event_id=f"e{number:03}", contact_id="c", occurred_at=1_770_000_000_000, source="x"
        )
        publisher.count(1, world.take([event]).refused)
    assert len(world.refused) == 99
