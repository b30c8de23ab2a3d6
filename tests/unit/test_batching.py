"""Batches as Faust events: what is handed on, what is committed, what is fetched again."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from schemas.topics import CHANGELOGS, CONTACT_EVENTS, CONTACTS_CHANGELOG, WORKER_TOPICS
from streams.config import FETCH_MIN_BYTES, FETCH_WAIT_MS
from streams.engine.batch_order import BatchOrder, Verdict
from streams.engine.batching import (
    BATCHED_TOPICS,
    LOOKS_WHILE_BUSY,
    BatchConsumer,
    BatchScheduler,
    BatchSchema,
    KnownTopics,
    ReadOffsets,
    Transport,
)
from streams.engine.shutdown import Ending
from streams.health.health import Health

EVENTS = TP(CONTACT_EVENTS, 1)
CHANGELOG = TP(CONTACTS_CHANGELOG, 1)


def record(offset: int) -> Any:
    return SimpleNamespace(
        topic=CONTACT_EVENTS, partition=1, offset=offset, timestamp=5, key=b"k", value=b"v"
    )


def consumer() -> BatchConsumer:
    """A consumer with its commit bookkeeping and nothing else."""
    made = BatchConsumer.__new__(BatchConsumer)
    made._acked, made._acked_index = defaultdict(list), defaultdict(set)
    made._gap, made._committed_offset = defaultdict(list), defaultdict(lambda: None)
    return made


def test_transport_is_found_by_its_scheme() -> None:
    app = faust.App("scheme", broker="batched://127.0.0.1:1", store="memory://")
    assert isinstance(app.transport, Transport)
    assert app.transport.Consumer is BatchConsumer


async def test_the_broker_holds_a_fetch_for_a_moment_and_not_for_long() -> None:
    """Faust's client would have it hold one for 1.5 s, and records of other partitions wait behind it.

    And it would be answered with the first record, though a batch of one costs almost what a hundred do.
    """
    app = faust.App("wait", broker="batched://127.0.0.1:1", store="memory://")
    made = app.consumer
    assert isinstance(made, BatchConsumer)
    client = made._new_consumer_thread()._create_consumer(asyncio.get_running_loop())
    assert (client._fetch_max_wait_ms, client._fetch_min_bytes) == (FETCH_WAIT_MS, FETCH_MIN_BYTES)


def test_a_fetched_partition_is_one_event() -> None:
    fetched = [record(7), record(8), record(9)]
    (((tp, batch),)) = list(BatchScheduler().iterate({EVENTS: fetched}))
    assert tp == EVENTS
    assert (batch.offset, batch.partition, batch.value) == (9, 1, fetched)


def test_other_topics_are_left_to_faust() -> None:
    changes = [SimpleNamespace(offset=n) for n in range(3)]
    assert [item for _, item in BatchScheduler().iterate({CHANGELOG: changes, EVENTS: []})] == changes


def test_schema_hands_the_list_over() -> None:
    message = SimpleNamespace(key=None, value=[record(1)])
    assert BatchSchema().loads_value(None, message) is message.value
    assert BatchSchema().loads_key(None, message) is None


def test_commit_goes_behind_the_last_batch() -> None:
    """Offsets inside a batch are no gaps: 99 and 205 acknowledged means 206 is next."""
    made = consumer()
    made._acked[EVENTS], made._acked_index[EVENTS] = [99, 205], {99, 205}
    assert made._new_offset(EVENTS) == 206
    assert made._acked[EVENTS] == []
    assert made._acked_index[EVENTS] == set()
    assert made._new_offset(EVENTS) is None


def test_what_the_worker_reads_is_batched_and_its_changelogs_are_not() -> None:
    assert frozenset(WORKER_TOPICS) == BATCHED_TOPICS
    assert not BATCHED_TOPICS & set(CHANGELOGS)


async def test_a_batch_that_is_released_is_not_waited_for() -> None:
    """By Faust itself, when the worker stops; one that is held again is, until it is acknowledged."""
    app = faust.App("release", broker="batched://127.0.0.1:1", store="memory://")
    app.ending = Ending(Health("worker"), [])
    made, message = app.consumer, Message()
    made.commit = made.commit_and_end_transactions = nothing  # type: ignore[method-assign]
    made.track_message(message)
    made.release(message)
    await asyncio.wait_for(made.wait_empty(), 1)
    made.hold(message)
    assert message in made._unacked_messages


class Message:
    """As much of a Faust message as the consumer looks at."""

    tp, offset, acked, refcount = EVENTS, 9, False, 1


async def nothing(**kwargs: Any) -> None:
    pass


async def test_gaps_of_batches_are_not_recorded() -> None:
    made = consumer()
    await made._add_gap(EVENTS, 10, 20)
    assert not made._gap[EVENTS]


def test_assignor_knows_topics_without_metadata() -> None:
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0, 1} if topic == "known" else None)
    assert KnownTopics(cluster, 4).partitions_for_topic("known") == {0, 1}
    assert KnownTopics(cluster, 4).partitions_for_topic("lost") == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("batches", "verdicts"),
    [
        pytest.param([(0, 9), (10, 19)], [Verdict(True), Verdict(True)], id="in order"),
        pytest.param([(5, 9), (5, 9)], [Verdict(False, 0), Verdict(True)], id="a gap that is none"),
        pytest.param(
            [(0, 9), (20, 29), (30, 39), (10, 19), (20, 29)],
            [Verdict(True), Verdict(False, 10), Verdict(False), Verdict(True), Verdict(True)],
            id="one got lost",
        ),
        pytest.param([(0, 9), (0, 9), (5, 14)], [Verdict(True)] * 3, id="delivered again"),
        pytest.param(
            [(0, 9), (30, 39), (20, 29), (20, 29)],
            [Verdict(True), Verdict(False, 10), Verdict(False, 10), Verdict(True)],
            id="lost before a gap that is none",
        ),
    ],
)
def test_sequence(batches: list[tuple[int, int]], verdicts: list[Verdict]) -> None:
    """What is applied, what is dropped, and where fetching goes on."""
    sequence = BatchOrder()
    sequence.restart(EVENTS, 0)
    assert [sequence.judge(EVENTS, first, last) for first, last in batches] == verdicts


def test_sequence_after_a_seek() -> None:
    """After an assignment the committed offset is next, and an old suspicion is forgotten."""
    sequence = BatchOrder()
    sequence.restart(EVENTS, 0)
    sequence.judge(EVENTS, 50, 59)
    assert not sequence.restart(EVENTS, 100)
    assert sequence.judge(EVENTS, 110, 119) == Verdict(False, 100)
    assert sequence.judge(EVENTS, 100, 109) == Verdict(True)


def test_sequence_before_it_is_known_where_to_go_on() -> None:
    """After an assignment nothing is applied until the committed offset is known; then all comes again."""
    sequence = BatchOrder()
    sequence.restart(EVENTS, 0)
    sequence.forget(EVENTS)
    assert sequence.judge(EVENTS, 0, 9) == Verdict(False)
    assert sequence.restart(EVENTS, 0)
    assert sequence.judge(EVENTS, 0, 9) == Verdict(True)


def test_read_offsets_of_batched_topics_drop_nothing() -> None:
    """Faust compares with what it read last; for batches there must be nothing to compare with."""
    offsets = ReadOffsets()
    offsets[EVENTS] = offsets[CHANGELOG] = 7
    assert offsets[EVENTS] is None
    assert offsets[CHANGELOG] == 7
    assert offsets[TP("other", 0)] is None


def standing_still() -> tuple[BatchConsumer, list[tuple[TP, int]]]:
    """A consumer that has fetched up to 50 where 20 has never come, and what it seeks."""
    made, sought = consumer(), list[tuple[TP, int]]()
    made.order, made._seen, made.flow_active = BatchOrder(), {}, True
    made.order.restart(EVENTS, 20)

    async def position(tp: TP) -> int:
        return 50

    async def seek(tp: TP, offset: int) -> None:
        sought.append((tp, offset))

    made.position, made.seek, made.assignment = position, seek, lambda: {EVENTS}
    return made, sought


async def test_a_partition_that_stands_still_is_fetched_again() -> None:
    """Fetching is at 50, 20 has never come: at the second look it seeks back, and not before."""
    made, sought = standing_still()
    await made.nudge()
    assert not sought
    await made.nudge()
    assert sought == [(EVENTS, 20)]


async def test_a_partition_that_may_only_be_waiting_is_given_time() -> None:
    """While a batch is in progress nothing can have come: only after many looks it seeks back."""
    made, sought = standing_still()
    for _ in range(LOOKS_WHILE_BUSY):
        await made.nudge(busy=True)
        assert not sought
    await made.nudge(busy=True)
    assert sought == [(EVENTS, 20)]
