"""Lag, what is stuck, what is counted, and what a process answers: with given clocks, without Kafka."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cli import stack
from cli.port_offsets import PORT_OFFSETS, SINK_PORT_OFFSET
from cli.settings import Settings
from deploy.local.ports import free_port
from schemas.codec import encode
from schemas.events import ContactQueued
from schemas.topics import CONTACT_EVENTS, CONTACTS_CHANGELOG, WINDOWS_CHANGELOG
from streams.commit.processor import Processor
from streams.config import StreamConfig
from streams.health import endpoint
from streams.health.endpoint import Endpoint, answers
from streams.health.health import MOVING, READY, RECOVERING, STARTING, STOPPING, Health
from streams.health.lag import Lag, Position, Positions, StuckDetector, lag_of
from streams.health.metrics import Metrics, TopicMetrics, set_only
from streams.health.observer import LagWatcher, observed
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import RefusedRecord
from streams.stages.contacts.stage import Contacts
from streams.state.memory import in_memory
from streams.state.table import Table

WHERE, OTHER = ("contact-events", 0), ("contact-events", 1)
NOW = 1_767_600_000_000


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"ringback_{name}", labels)


def test_lag_is_the_age_of_what_is_done() -> None:
    position = Position(assigned_ms=NOW - 500, following=10, stamp_ms=NOW - 4_000)
    assert lag_of(position, 30, NOW) == Lag(10, 20, 4.0)
    assert lag_of(position, 10, NOW) == Lag(10, 0, 0.0)
    assert lag_of(Position(NOW), 30, NOW) is None


def test_an_event_after_a_quiet_hour_is_not_an_hour_late() -> None:
    position = Position(assigned_ms=0, following=10, stamp_ms=NOW - 3_600_000)
    lag_of(position, 10, NOW - 2_000)
    assert lag_of(position, 11, NOW) == Lag(10, 1, 2.0)


def test_lag_before_anything_is_done_counts_from_the_assignment() -> None:
    assert lag_of(Position(assigned_ms=NOW - 7_000, following=0), 5, NOW) == Lag(0, 5, 7.0)


def test_only_what_is_assigned_has_a_position() -> None:
    positions = Positions()
    positions.assign([WHERE], NOW)
    positions.done(*WHERE, following=5, stamp_ms=NOW)
    positions.done(*OTHER, following=5, stamp_ms=NOW)
    assert {where: held.following for where, held in positions.held().items()} == {WHERE: 5}
    positions.assign([WHERE, OTHER], NOW)
    assert [held.following for held in positions.held().values()] == [None, None]
    positions.clear()
    assert positions.held() == {}


def looks(*steps: tuple[float, int, int]) -> list[tuple[bool, bool]]:
    """Whether it becomes stuck, and whether that is over, at each (time, next offset, lag)."""
    detector, found = StuckDetector(after_s=30), []
    for now, following, events in steps:
        begun, over = detector.look({WHERE: Lag(following, events, 0)}, now)
        found.append((bool(begun), bool(over)))
    return found


NO = (False, False)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, 5, 1), (29, 5, 2), (30, 5, 3), (31, 5, 4)], [NO, NO, (True, False), NO], id="once"),
        pytest.param([(0, 5, 1), (20, 6, 1), (40, 6, 1), (50, 6, 1)], [NO, NO, NO, (True, False)], id="slow"),
        pytest.param([(0, 5, 0), (60, 5, 0), (61, 5, 1), (90, 5, 1)], [NO] * 4, id="a quiet minute before"),
        pytest.param([(0, 5, 1), (30, 5, 1), (31, 6, 1)], [NO, (True, False), (False, True)], id="goes on"),
        pytest.param([(0, 5, 1), (30, 5, 1), (31, 5, 0)], [NO, (True, False), (False, True)], id="no lag"),
    ],
)
def test_stuck(steps: list[tuple[float, int, int]], expected: list[tuple[bool, bool]]) -> None:
    assert looks(*steps) == expected


def test_a_partition_that_leaves_is_not_stuck_any_more() -> None:
    detector = StuckDetector(after_s=30)
    detector.look({WHERE: Lag(5, 1, 0), OTHER: Lag(5, 1, 0)}, 0)
    begun, _ = detector.look({WHERE: Lag(5, 1, 0), OTHER: Lag(6, 1, 0)}, 30)
    assert begun == {WHERE: 0}
    assert detector.look({OTHER: Lag(6, 1, 0)}, 31) == ({}, {WHERE: 0})


def lookout() -> LagWatcher:
    health = Health("worker")
    health.assigned([WHERE, OTHER])
    for position in health.positions.held().values():
        position.following = 5
    health.become(READY)
    return LagWatcher(health, "group", ends={WHERE: 9, OTHER: 5})


def test_what_is_stuck_is_one_line_and_a_gauge_until_it_is_over() -> None:
    watched = lookout()
    registry = watched.health.metrics.registry
    with capture_logs() as logs:
        for second in range(0, 61, 2):
            watched.look(NOW + second * 1000, second)
        assert value(registry, "stuck", topic="contact-events", partition="0") == 1
        assert value(registry, "stuck", topic="contact-events", partition="1") == 0
        assert value(registry, "lag_events", topic="contact-events", partition="0") == 4
        watched.health.positions.done(*WHERE, following=9, stamp_ms=NOW)
        watched.look(NOW + 62_000, 62)
    assert value(registry, "stuck", topic="contact-events", partition="0") == 0
    assert value(registry, "lag_events", topic="contact-events", partition="0") == 0
    assert [line["event"] for line in logs] == ["stuck: nothing done while there is lag", "no longer stuck"]
    assert (logs[0]["partitions"], logs[0]["since"]) == ("contact-events[0]", "2026-01-05T08:00:00+00:00")
    assert (logs[0]["lag_events"], logs[1]["lasted_s"]) == (4, 62)


def test_recovery_is_not_stuck_and_gone_partitions_have_no_lag() -> None:
    watched = lookout()
    watched.health.become(RECOVERING)
    with capture_logs() as logs:
        watched.look(NOW, 0)
        watched.look(NOW + 90_000, 90)
        watched.health.positions.assign([OTHER], NOW)
        watched.look(NOW + 92_000, 92)
    assert logs == []
    assert value(watched.health.metrics.registry, "lag_events", topic="contact-events", partition="0") is None


async def test_where_to_go_on_is_asked_of_kafka_once() -> None:
    class Kafka:
        asked = 0

        async def known(self, group: str) -> dict[tuple[str, int], int]:
            self.asked += 1
            return {WHERE: 3}

        async def ends_of(self, partitions: Any) -> dict[tuple[str, int], int]:
            return dict.fromkeys(partitions, 8)

        async def at_end(self, done: Any, ends: Any) -> set[tuple[str, int]]:
            """Behind one of the two that stand still nothing is left but a marker."""
            return {OTHER} & ends.keys()

    watched, kafka = LagWatcher(Health("sink"), "group"), Kafka()
    watched.health.assigned([WHERE, OTHER])
    for _ in range(2):
        await watched.ask(kafka)  # type: ignore[arg-type]
    watched.look(NOW, 0)
    registry = watched.health.metrics.registry
    lags = [value(registry, "lag_events", topic="contact-events", partition=n) for n in "01"]
    assert (lags, kafka.asked) == ([5, 0], 1)


def test_every_change_of_state_is_a_line() -> None:
    with capture_logs() as logs:
        health = Health("worker")
        health.become(STARTING)
        health.assigned([OTHER, WHERE])
        health.become(RECOVERING)
        health.become(READY, partitions=[0, 1])
        health.become(READY)
        health.become(MOVING)
        health.revoked([WHERE])
        health.revoked([])
        health.become(STOPPING)
        health.become(READY)
    assert [line["event"] for line in logs] == [
        "worker starting",
        "partitions assigned",
        "worker recovering",
        "worker ready",
        "partitions revoked",
        "worker stopping",
    ]
    assert logs[1]["partitions"] == "contact-events[0,1]"


def test_ready_says_why_not() -> None:
    health = Health("worker")
    health.remaining = lambda: 12_345
    assert health.not_ready() == "starting"
    health.become(RECOVERING)
    assert health.not_ready() == "recovering its state, 12,345 records to go"
    assert value(health.metrics.registry, "ready") == 0
    health.become(READY)
    assert health.not_ready() is None
    assert (value(health.metrics.registry, "ready"), health.left()) == (1, 0)


def test_a_batch_is_counted() -> None:
    metrics = Metrics()
    bad = [
        RefusedRecord(1, "empty", "", b""),
        RefusedRecord(2, "empty", "", b""),
        RefusedRecord(3, "wrong_key", "", b""),
    ]
    TopicMetrics(metrics, "t").batch(10, 5, bad, corrected=1)
    found = {
        name: value(metrics.registry, name, topic="t")
        for name in ("events_applied_total", "duplicates_ignored_total", "corrections_total")
    }
    assert list(found.values()) == [5, 2, 1]
    assert value(metrics.registry, "dead_letters_total", topic="t", reason="empty") == 2
    assert value(metrics.registry, "batch_records_sum", topic="t") == 10


def test_labels_that_are_gone_are_dropped() -> None:
    metrics = Metrics()
    set_only(metrics.lag_events, {("t", "0"): 1, ("t", "1"): 2})
    set_only(metrics.lag_events, {("t", "1"): 3})
    assert value(metrics.registry, "lag_events", topic="t", partition="0") is None
    assert value(metrics.registry, "lag_events", topic="t", partition="1") == 3


async def test_a_processor_counts_events_and_state() -> None:
    class Writer:
        async def write(self, topic: str, partition: int, records: object) -> None:
            pass

    def record(offset: int, revision: int = 0) -> Any:
        event = ContactQueued(
            event_id="q", contact_id="c", occurred_at=NOW, source="test", queue="A", revision=revision
        )
        return type("Record", (), {"offset": offset, "key": b"c", "value": encode(event)})

    kept = Table(in_memory(), CONTACTS_CHANGELOG), Table(in_memory(), WINDOWS_CHANGELOG)
    config, metrics = StreamConfig(), Metrics()
    stage = Contacts(*kept, decode_single_object, config.rules, 1)
    processor = Processor(config, stage, Writer(), lambda: 0, metrics)  # type: ignore[arg-type]
    await processor.process(0, [record(0), record(1)])
    await processor.process(0, [record(2, revision=1)])
    registry = metrics.registry
    for name, expected in (("events_applied", 2), ("duplicates_ignored", 1), ("corrections", 1)):
        assert value(registry, f"{name}_total", topic=CONTACT_EVENTS) == expected
    for what in ("state", "outputs", "totals"):
        assert value(registry, "write_seconds_count", topic=CONTACT_EVENTS, what=what) == 2
    grown = [
        value(registry, "state_records", table="contacts"),
        value(registry, "state_bytes", table="contacts"),
    ]
    for table in kept:
        metrics.table_size(table)
    counted = [
        value(registry, "state_records", table="contacts"),
        value(registry, "state_bytes", table="contacts"),
    ]
    assert grown == counted
    assert counted[0] == 2  # the contact and the marker


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def process(port: int) -> Iterator[Health]:
    """A process that is observed, without Kafka."""
    with observed("worker", Endpoint("127.0.0.1:1", "group", "127.0.0.1", port)) as health:
        yield health


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_process_answers_and_says_when_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LOOP_LIMIT_S", 0.2)
    monkeypatch.setattr(endpoint.answers, "__defaults__", (0.2,))
    port, loop = free_port(), asyncio.new_event_loop()
    with process(port) as health:
        until(lambda: listens(port))
        assert get(port, "/health") == (200, "ok\n")  # not running yet
        assert get(port, "/ready") == (503, "starting\n")
        health.loop = loop
        assert get(port, "/health") == (503, "its loop has not answered for 0.2 s\n")
        running = threading.Thread(target=loop.run_forever)
        running.start()
        health.become(READY)
        assert get(port, "/health") == (200, "ok\n")
        assert get(port, "/ready") == (200, "ready\n")
        status, text = get(port, "/metrics")
        loop.call_soon_threadsafe(loop.stop)
        running.join()
    assert (status, "ringback_ready 1.0" in text, "process_cpu_seconds_total" in text) == (200, True, True)
    assert "_created" not in text
    loop.close()
    assert not listens(port)


async def test_a_closed_loop_does_not_answer() -> None:
    closed = asyncio.new_event_loop()
    closed.close()
    assert not await answers(closed)


def test_every_process_of_up_has_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[Any] = []
    monkeypatch.setattr(stack, "ChildProcess", started.append)
    given = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "CLICKHOUSE_URL": "http://db/ringback"}
    config = Settings(**given, data_dir=tmp_path, metrics_port=9464)
    for service in stack.services(config, 16):
        service.start()
    *workers, sink = (int(command.env["RINGBACK_METRICS_PORT"]) for command in started[:-1])
    assert [*workers, sink + SINK_PORT_OFFSET] == list(range(9464, 9481))


def test_no_two_kinds_of_process_have_the_same_port() -> None:
    assert sorted({*PORT_OFFSETS}) == [16, 32, 48, 64, 80, 96, 112]


def test_a_port_that_is_taken_is_one_warning() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with capture_logs() as logs, process(port):
            until(lambda: bool(logs))
    assert [(line["event"], line["port"]) for line in logs] == [("no metrics: cannot listen", port)]
