"""Small parts of the stream: state, versions, markers, topics, the cap on dead letters."""

import random

import pytest
from support.worlds import random_contact

from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from kpis.tallies.windows import MEASURES, Window
from schemas.codec import encode
from schemas.events import ContactQueued
from streams.commit.dead_letter_limit import DeadLetterLimit, TooManyDeadLetters
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.kafka.topics import PartitionsChanged, check_partitions, topic_specs
from streams.stages.contacts.batch import FactKeys, apply_batch
from streams.stages.contacts.event_set import CanonicalEvent, merge, pack, unpack
from streams.stages.contacts.folded_cache import folded
from streams.stages.contacts.stage import read_touched
from streams.stages.documents import (
    rebuilt_version,
    row_version,
    tally_bytes,
    tally_of,
    window_key,
    window_of,
)
from streams.state.markers import (
    Begun,
    Done,
    begun_bytes,
    done_bytes,
    is_marker,
    marker_key,
    read_begun,
    read_done,
    rules_digest,
)

AT = 1_767_600_000_000


def queued(event_id: str, revision: int = 0, queue: str = "A") -> CanonicalEvent:
    event = ContactQueued(
        event_id=event_id, contact_id="c", occurred_at=AT, source="test", queue=queue, revision=revision
    )
    return CanonicalEvent(event, encode(event))


def test_state_is_a_set() -> None:
    """Any order and repetition of arrivals gives the same bytes."""
    rng = random.Random(7)
    items = [CanonicalEvent(event, encode(event)) for event in random_contact(rng, "c")]
    states = set()
    for _ in range(20):
        arrived = items + rng.sample(items, len(items) // 2)
        rng.shuffle(arrived)
        states.add(pack(merge({}, arrived)[0]))
    assert len(states) == 1
    assert pack(unpack(states.copy().pop())) in states


def test_strongest_statement_of_an_event_stays() -> None:
    old, new = queued("q", 0, "Z"), queued("q", 1, "A")
    for arrivals in ([old, new], [new, old], [new, new, old]):
        merged, duplicates = merge({}, arrivals)
        assert merged["q"] == new
        assert duplicates == len(arrivals) - (2 if arrivals[0] == old else 1)


def test_same_revision_greatest_bytes() -> None:
    one, other = queued("q", 0, "A"), queued("q", 0, "B")
    assert merge({}, [one, other])[0] == merge({}, [other, one])[0]


def test_known_events_move_nothing() -> None:
    item = queued("q")
    record = Record(4, b"c", item.canonical)
    state = pack({"q": item})
    result = apply_batch(
        [record],
        decode_single_object,
        lambda _: folded(unpack(state), DEFAULT_RULES),
        lambda _: None,
        DEFAULT_RULES,
    )
    assert (result.applied, result.duplicates) == (0, 1)
    assert not result.contacts
    assert not result.windows


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"c", None, "empty"),
        (b"x", queued("q").canonical, "wrong_key"),
        (None, queued("q").canonical, "wrong_key"),
    ],
)
def test_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    record = Record(9, key, value)
    result = apply_batch(
        [record], decode_single_object, lambda _: folded({}, DEFAULT_RULES), lambda _: None, DEFAULT_RULES
    )
    assert [(item.offset, item.reason) for item in result.refused] == [(9, reason)]


def test_versions_grow_with_epoch_then_offset() -> None:
    ordered = [
        row_version(0, -1),
        row_version(0, 0),
        row_version(0, 10**9),
        row_version(1, -1),
        row_version(1, 5),
    ]
    assert ordered == sorted(set(ordered))
    assert row_version(2**24 - 1, 2**39 - 2) < 2**64


def test_a_rebuilt_row_is_between_the_batches_before_and_after() -> None:
    for epoch, end in ((0, 0), (0, 7), (3, 10**9)):
        before, after = row_version(epoch, end - 1), row_version(epoch, end)
        assert before < rebuilt_version(epoch, end) < after
        assert rebuilt_version(epoch, end) < row_version(epoch + 1, -1)
    # Rows of before version 2 had offset + 1: whatever comes later is above them.
    assert all(row_version(2, offset) >= (2 << 40) | (offset + 1) for offset in range(50))


def test_markers_round_trip() -> None:
    begun = Begun(
        epoch=3,
        offset=17,
        touched={"c": [True, [1, 2], []]},
        everything=True,
        totals=(b'[0,"voice","A",1]',),
        empty=b"null",
    )
    assert read_begun(begun_bytes(begun)) == begun
    done = Done((3, 17), 17, rules_digest(DEFAULT_RULES))
    assert read_done(done_bytes(done)) == done
    assert read_begun(None) is read_done(None) is None
    assert is_marker(marker_key(0))
    assert not is_marker("ÿ".encode())


def test_what_a_batch_touched_is_read_with_names_and_without() -> None:
    """A worker of before may have been killed in a batch: its marker has a list where names are now."""
    keys = FactKeys(
        contact=True,
        legs=frozenset({1}),
        surveys=frozenset({("nps", "customer")}),
        customers=frozenset({"x"}),
        sessions=frozenset({("ann", 1)}),
    )
    named = {
        "contact": True,
        "legs": [1],
        "surveys": [["nps", "customer"]],
        "customers": ["x"],
        "sessions": [["ann", 1]],
    }
    assert read_touched(named) == read_touched([*named.values()]) == keys


def test_a_digest_names_the_rules() -> None:
    assert rules_digest(Rules()) == rules_digest(DEFAULT_RULES)
    assert rules_digest(Rules(fcr=FcrRules(match_reason=False))) != rules_digest(DEFAULT_RULES)


def test_windows_round_trip() -> None:
    window, tally = Window(AT, "voice", 'a "queue"'), tuple(range(len(MEASURES)))
    assert window_of(window_key(window, 2)) == (window, 2)
    assert tally_of(tally_bytes(tally)) == tally
    assert tally_of(b"{}") == (0,) * len(MEASURES)


def test_partitions_must_fit() -> None:
    with pytest.raises(PartitionsChanged, match="RINGBACK_PARTITIONS=8"):
        check_partitions({"contact-events": 8}, topic_specs(4))


def test_the_cap_on_dead_letters_goes_on_from_before_a_restart() -> None:
    """Otherwise every start would turn as much of a flood into dead letters as the first."""
    before = DeadLetterLimit(window=100, max_share=0.5)
    before.count(90, 80, "flood")
    after = DeadLetterLimit(window=100, max_share=0.5)
    after.go_on_from(before.recent)
    after.go_on_from((1_000, 0))  # that of a partition which came later changes nothing
    with pytest.raises(TooManyDeadLetters):
        after.count(20, 20, "flood")


def test_a_flood_that_was_let_in_on_purpose_does_not_stop_the_next_worker() -> None:
    raised = DeadLetterLimit(window=100, max_share=1)
    raised.count(200, 190, "flood")
    after = DeadLetterLimit(window=100, max_share=0.5)
    after.go_on_from(raised.recent)
    after.count(20, 1, "now and then")
    assert after.recent == (20, 1)


def test_cap_on_dead_letters() -> None:
    """A few bad records pass, a flood stops the worker once enough were seen to judge."""
    limit = DeadLetterLimit(window=100, max_share=0.5)
    limit.count(90, 60, "early")  # too few to judge
    limit.count(200, 20, "some")
    limit.count(60, 59, "unknown_fingerprint")
    with pytest.raises(TooManyDeadLetters, match="nothing was skipped"):
        limit.count(60, 59, "unknown_fingerprint")
