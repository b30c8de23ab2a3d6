"""What the sink writes early, and when it commits: every row is acknowledged before its offset is."""

import asyncio
import time
from collections.abc import Iterable
from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from schemas import topics
from schemas.codec import encode
from schemas.events import ContactQueued, SourceHeartbeat
from sinks import buffer as buffering
from sinks.buffer import SEEN_FIRST, Buffer, Tables
from sinks.rows import COLUMNS
from sinks.writer import SinkRefused
from sinks.writing import Writing
from streams.health.health import Health
from streams.kafka.decoding import decode_single_object

AT = 1_767_600_000_000
KINDS = ("window", "event", "beat")


def record(kind: str, offset: int, key: int) -> Any:
    """A window, of few keys and a version that grows; a raw event; a heartbeat."""
    if kind == "window":
        fields = {
            "window_start": AT,
            "channel": "voice",
            "queue": str(key),
            "partition": 0,
            "version": offset,
        }
        topic, value = topics.KPI_WINDOWS, orjson.dumps(fields | {"measures": {"offered": offset}})
        name = b"%d" % key
    elif kind == "event":
        name = b"c%d" % key
        event = ContactQueued(
            event_id=str(offset), contact_id=name.decode(), occurred_at=AT, source="t", queue="A"
        )
        topic, value = topics.CONTACT_EVENTS, encode(event)
    else:
        name = b"s%d" % key
        beat = SourceHeartbeat(event_id=str(offset), source=name.decode(), occurred_at=AT)
        topic, value = topics.SOURCE_HEARTBEATS, encode(beat)
    return SimpleNamespace(topic=topic, partition=0, offset=offset, timestamp=AT, key=name, value=value)


def kept(tables: Iterable[Tables]) -> dict[str, dict[tuple[Any, ...], list[Any]]]:
    """What ClickHouse has in the end: of each key the row of the greatest version."""
    found: dict[str, dict[tuple[Any, ...], list[Any]]] = {}
    keys = {"kpi_windows": 4, "published_windows": 5}
    for table, row in ((name, row) for each in tables for name, rows in each.items() for row in rows):
        own = found.setdefault(table, {})
        key = tuple(row[: keys[table]]) if table in keys else tuple(map(repr, row))
        if key not in own or own[key][-1] <= row[-1]:
            own[key] = row
    return found


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.sampled_from("-es")), max_size=30))
@settings(max_examples=150, deadline=None)
def test_what_is_written_early_changes_nothing_of_what_is_there_in_the_end(
    steps: list[tuple[str, int, str]],
) -> None:
    """And its offsets stay behind, with what else came with it."""
    one, often, written = Buffer(decode_single_object), Buffer(decode_single_object), list[Tables]()
    committed: dict[TopicPartition, int] = {}
    for offset, (kind, key, then) in enumerate(steps):
        for each in (one, often):
            each.add(record(kind, offset, key))
        if then == "s":
            early = often.take_seen()
            assert {*early} <= {*SEEN_FIRST}
            written.append(early)
        elif then == "e":
            batch = often.take()
            written.append(batch.tables)
            committed |= batch.positions
            assert not often.positions
            assert not len(often)
    last = often.take()
    whole = one.take()
    assert kept([*written, last.tables]) == kept([whole.tables])
    assert committed | last.positions == whole.positions


class Stored:
    """A ClickHouse that takes its time, and refuses when it is told to."""

    def __init__(self, seed: int, refuse_at: int = -1) -> None:
        self.rng = Random(seed)
        self.tables: dict[str, list[Any]] = {}
        self.inserts, self.refuse_at = 0, refuse_at

    def insert(self, tables: Tables) -> int:
        for table, rows in tables.items():
            time.sleep(self.rng.random() / 500)
            self.inserts += 1
            if self.inserts == self.refuse_at:
                raise SinkRefused("no")
            self.tables.setdefault(table, []).extend(rows)
        return sum(map(len, tables.values()))


class Committing:
    """A consumer that looks, when it commits, whether all of it is stored."""

    def __init__(self, stored: Stored, sent: list[Any]) -> None:
        self.stored, self.sent = stored, sent
        self.committed: dict[TopicPartition, int] = {}

    async def commit(self, positions: dict[TopicPartition, int]) -> None:
        await asyncio.sleep(0)
        self.committed |= positions
        tables = self.stored.tables
        versions = {(row[2], row[-1]) for row in tables.get("kpi_windows", ())}
        newest = {queue: max(v for q, v in versions if q == queue) for queue, _ in versions}
        events = {row[COLUMNS["events"].index("event_id")] for row in tables.get("events", ())}
        beats = {row[0] for row in tables.get("heartbeats", ())}
        for one in self.sent:
            if one.offset >= positions.get(TopicPartition(one.topic, 0), 0):
                continue
            if one.topic == topics.KPI_WINDOWS:
                assert newest.get(one.key.decode(), -1) >= one.offset
            elif one.topic == topics.CONTACT_EVENTS:
                assert str(one.offset) in events
            else:
                assert one.key.decode() in beats


async def write(stored: Stored, seed: int, count: int = 200) -> Committing:
    """Records as they come, at random, until all are committed."""
    rng, sent = Random(seed), list[Any]()
    consumer, buffer = Committing(stored, sent), Buffer(decode_single_object)
    async with Writing(buffer, consumer, stored, Health("sink")) as writing:  # type: ignore[arg-type]
        for offset in range(count):
            sent.append(record(rng.choice(KINDS), offset, rng.randrange(3)))
            buffer.add(sent[-1])
            await writing.what_is_due()
            if rng.random() < 0.3:
                await asyncio.sleep(rng.random() / 300)
        await writing.all()
    return consumer


@pytest.mark.parametrize("seed", range(3))
def test_offsets_are_committed_when_all_rows_up_to_them_are_acknowledged(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffering, "SEEN_AGE_S", 0.001)
    monkeypatch.setattr(buffering, "BATCH_AGE_S", 0.01)
    stored = Stored(seed)
    consumer = asyncio.run(write(stored, seed))
    last = {TopicPartition(one.topic, 0): one.offset + 1 for one in consumer.sent}
    assert consumer.committed == last
    assert stored.inserts > 20  # in many steps, not in one


def test_what_clickhouse_refuses_ends_it_and_is_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffering, "SEEN_AGE_S", 0.001)
    monkeypatch.setattr(buffering, "BATCH_AGE_S", 0.01)
    stored = Stored(1, refuse_at=7)
    with pytest.raises(SinkRefused), capture_logs():
        asyncio.run(write(stored, 1))
    assert stored.inserts == 7


def test_what_nobody_looks_at_waits_for_more_but_not_for_what_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(buffering.time, "monotonic", lambda: now)
    buffer = Buffer(decode_single_object)
    for offset in range(40):  # a record each 0.1 s
        now = offset / 10
        buffer.add(record("event", offset, 1))
        assert buffer.due() == (now >= buffering.BATCH_AGE_S)
    buffer.take()
    assert not buffer.due()  # nothing is there
    buffer.add(record("event", 40, 1))
    now += buffering.QUIET_S - 0.01
    assert not buffer.due()
    now += 0.02
    assert buffer.due()


def test_the_sink_wakes_when_what_people_look_at_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(buffering.time, "monotonic", lambda: now)
    buffer = Buffer(decode_single_object)
    writing = Writing(buffer, None, None, Health("sink"))  # type: ignore[arg-type]
    buffer.add(record("event", 0, 1))
    assert writing.patience_ms() == 200
    buffer.add(record("window", 1, 1))
    now = buffering.SEEN_AGE_S - 0.06
    assert writing.patience_ms() == 60
    assert not buffer.seen_due()
    now = buffering.SEEN_AGE_S + 0.001
    assert buffer.seen_due()
    assert writing.patience_ms() == 20
