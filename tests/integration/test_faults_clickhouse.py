"""ClickHouse refuses, is slow, away, full, dies in mid-insert; the sink dies before it commits."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs
from support.faults import FAULT_S, LONG_S, Altered, Week, fill, small_disk, stop_and_go
from support.numbers import lag, stored
from support.stack import Running, Stack, background, wait_until

from deploy.local.child import ChildProcess, Command
from deploy.local.clickhouse.passwords import OWNER_FILE
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from schemas.codec import encode
from schemas.events import ContactQueued
from schemas.topics import SINK_GROUP
from sinks.connection import connect
from sinks.rows import event_row
from sinks.writer import ClickHouseSink, SinkRefused

# SYSTEM STOP MERGES is nothing that the embedded ClickHouse lets anybody do.
NO_MERGES = "ALTER TABLE events MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"
ROWS, KILLS = 30_000, 3
STOP_S = 10  # it waits at most five seconds until it asks again, and sees then that it is to stop
# The sink dies as soon as ClickHouse has a batch with events, before it can commit.
DIES_BEFORE_COMMIT = """
import os, signal
from sinks.writer import ClickHouseSink
insert = ClickHouseSink.insert
def insert_and_die(self, tables):
    written = insert(self, tables)
    if tables.get("events"):
        os.kill(os.getpid(), signal.SIGKILL)
    return written
ClickHouseSink.insert = insert_and_die
"""
# The embedded ClickHouse, whose only user may read and no more.
READ_ONLY = """
import os
from deploy.local.clickhouse import __main__ as server
from deploy.local.clickhouse.users import User
server.stack_users = lambda password, bi: {"default": User("default", password, read_only=True)}
os._exit(server.main())
"""


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[Running]:
    """One worker for all tests, which none of these faults may touch; the tables are there."""
    ClickHouseSink(stack.clickhouse_url).prepare()
    with background(stack.env(), "worker") as running:
        yield running
        assert running.process.alive()
        assert "Traceback" not in running.log()


def local(stack: Stack) -> LocalClickHouse:
    if stack.clickhouse is None:
        pytest.skip("only the local stack's ClickHouse is harmed")
    return stack.clickhouse


async def test_a_table_that_is_gone_stops_the_sink_and_nothing_is_lost(stack: Stack, worker: Running) -> None:
    week = Week(0)
    with background(stack.env(), "sink") as sink:
        with stack.client() as client:
            client.command("RENAME TABLE legs TO legs_away")
        await week.send(stack)
        wait_until(lambda: not sink.process.alive(), "the sink goes on")
        assert sink.process.returncode == 3
        assert "error: ClickHouse refuses legs: " in sink.log()
        assert "Traceback" not in sink.log()
    assert await lag(stack, SINK_GROUP) > 0
    with stack.client() as client:
        client.command("RENAME TABLE legs_away TO legs")
    with background(stack.env(), "sink"):
        await week.check(stack)


@contextmanager
def other_clickhouse(stack: Stack, start: Callable[[], ChildProcess]) -> Iterator[None]:
    """In the place of the stack's, on the same data, while the block runs."""
    clickhouse = local(stack)
    clickhouse.stop()
    other = start()
    try:
        yield
    finally:
        other.stop()
        clickhouse.start()


@contextmanager
def other_password(stack: Stack, password: str) -> Iterator[str]:
    """ClickHouse with another password while the block runs; gives the address with it."""
    path = stack.data_dir / OWNER_FILE
    before = path.read_text(encoding="ascii")
    clickhouse = local(stack)
    clickhouse.stop()
    path.write_text(password, encoding="ascii")
    clickhouse.start()
    try:
        yield clickhouse.address
    finally:
        clickhouse.stop()
        path.write_text(before, encoding="ascii")
        clickhouse.start()


def read_only(stack: Stack) -> ChildProcess:
    path = stack.data_dir / "read-only.py"
    path.write_text(READ_ONLY, encoding="utf-8")
    argv = [sys.executable, str(path), "--data-dir", str(stack.data_dir), "--port", str(local(stack).port)]
    return ChildProcess(Command(argv, path.with_suffix(".log")))


def refused(sink: Running, says: str, do: str) -> None:
    """It ends with one message: what ClickHouse says, and what to do about it."""
    wait_until(lambda: not sink.process.alive(), "the sink goes on")
    assert sink.process.returncode == 3
    [error] = [line for line in sink.log().splitlines() if line.startswith("error: ")]
    assert "ClickHouse refuses " in error
    assert says in error
    assert error.endswith(f"{do}, and start the sink again; nothing is lost")
    assert "Traceback" not in sink.log()


async def test_a_password_that_is_wrong_stops_the_sink(stack: Stack, worker: Running) -> None:
    """It was changed while the sink ran; one that starts with the old one ends as well."""
    week = Week(4)
    says, do = "Authentication failed", "Put the right user and password into CLICKHOUSE_URL"
    with background(stack.env(), "sink") as sink:
        with other_password(stack, "changed") as url:
            await week.send(stack)
            refused(sink, says, do)
            with pytest.raises(SinkRefused, match=f"{says}.*{do}"):
                ClickHouseSink(stack.clickhouse_url).prepare()  # as a sink begins
            assert await lag(stack, SINK_GROUP) > 0
            with background(stack.env(CLICKHOUSE_URL=url), "sink"):
                await stored(stack)
        await week.check(stack)


async def test_a_user_that_may_only_read(stack: Stack, worker: Running) -> None:
    """A sink that runs waits until it may write again; one that starts meanwhile says what to do and ends."""
    week = Week(5)
    with background(stack.env(), "sink") as sink:
        with other_clickhouse(stack, lambda: read_only(stack)):
            await week.send(stack)
            wait_until(lambda: "in readonly mode" in sink.log(), "the sink does not say why it waits")
            with pytest.raises(SinkRefused, match=r"is readonly.*let it write, or name another"):
                ClickHouseSink(stack.clickhouse_url).prepare()  # as a sink begins
            assert sink.process.alive()
            assert await lag(stack, SINK_GROUP) > 0
        await week.check(stack)
        assert "ClickHouse answers" in sink.log()
        assert "Traceback" not in sink.log()


async def test_a_slow_clickhouse_is_waited_for(stack: Stack, worker: Running) -> None:
    """It runs for a fifth of the time: stands still for 0.4 s, goes on for 0.1 s."""
    week = Week(1)
    pid = local(stack).pid
    with background(stack.env(), "sink") as sink:
        with stop_and_go(pid):
            await week.send(stack)
            await asyncio.sleep(FAULT_S)
        await week.check(stack)
        assert sink.process.alive()
        assert "Traceback" not in sink.log()


async def test_a_sink_that_waits_can_be_stopped(stack: Stack, worker: Running) -> None:
    """At its start and in the middle of a batch; what it has not written comes again."""
    week, clickhouse = Week(8), local(stack)
    with background(stack.env(), "sink") as sink:
        clickhouse.stop()
        await week.send(stack)
        for waits in (sink, Running(stack.env(), "sink")):
            wait_until(lambda waits=waits: "waiting for ClickHouse" in waits.log(), "the sink is silent")
            asked = time.monotonic()
            waits.process.stop()
            assert time.monotonic() - asked < STOP_S
            assert waits.process.returncode == 0
            assert "nothing is lost" in waits.log()
            assert "Traceback" not in waits.log()
    clickhouse.start()
    assert await lag(stack, SINK_GROUP) > 0
    with background(stack.env(), "sink"):
        await week.check(stack)


async def test_the_sink_killed_between_insert_and_commit(stack: Stack, worker: Running) -> None:
    """The same rows come again, and count once."""
    week = Week(2)
    await week.send(stack)
    before = await lag(stack, SINK_GROUP)
    rows = stack.value("SELECT count() FROM events FINAL")
    with stack.client() as client:
        client.command(NO_MERGES)  # so that what comes twice can be seen
    doomed = Altered(stack.env(), DIES_BEFORE_COMMIT, "sink")
    wait_until(lambda: not doomed.process.alive(), "the sink does not die")
    assert doomed.process.returncode == -signal.SIGKILL
    assert stack.value("SELECT count() FROM events FINAL") > rows
    assert await lag(stack, SINK_GROUP) >= before
    with background(stack.env(), "sink"):
        await week.check(stack)
    assert stack.value("SELECT count() FROM events") > stack.value("SELECT count() FROM events FINAL")


@pytest.mark.skipif(LONG_S is None, reason="RINGBACK_FAULT_S=300 keeps ClickHouse away for five minutes")
async def test_clickhouse_away_for_long(stack: Stack, worker: Running) -> None:
    """Longer than any time-out of the sink's consumer."""
    week, clickhouse = Week(3), local(stack)
    with background(stack.env(), "sink") as sink:
        os.kill(clickhouse.pid, signal.SIGKILL)
        await week.send(stack)
        await asyncio.sleep(FAULT_S)
        assert sink.process.alive()
        clickhouse.start()
        await week.check(stack)
        assert "ClickHouse answers" in sink.log()
        assert "Traceback" not in sink.log()


@pytest.mark.stack
def test_clickhouse_dies_in_the_middle_of_an_insert(tmp_path: Path) -> None:
    """Each batch is there once, whenever in its insert ClickHouse was killed."""
    rng, clickhouse = Random(5), LocalClickHouse(tmp_path, free_port())
    clickhouse.start()
    try:
        sink = ClickHouseSink(clickhouse.address)
        sink.prepare()
        in_flight = batches = 0
        takes_s = 0.4  # of an insert: found out below, as machines differ
        while in_flight < KILLS:
            batch = [row_of(batches * ROWS + number) for number in range(ROWS)]
            inserting = threading.Thread(target=sink.insert, args=({"events": batch},), daemon=True)
            batches += 1
            inserting.start()
            time.sleep(rng.uniform(0.1, 0.9) * takes_s)
            os.kill(clickhouse.pid, signal.SIGKILL)
            wait_until(lambda: not clickhouse.alive(), "it lives")
            in_flight += inserting.is_alive()
            takes_s *= 1 if inserting.is_alive() else 0.5
            clickhouse.start()
            inserting.join(timeout=60)
            assert not inserting.is_alive()
        client = connect(clickhouse.address)
        found = client.query("SELECT count(), uniqExact(contact_id) FROM events FINAL").result_rows[0]
        assert found == (ROWS * batches, ROWS * batches)
    finally:
        clickhouse.stop()


def row_of(number: int) -> list[object]:
    """A row of `events`."""
    at_ms = 1_767_600_000_000 + number
    event = ContactQueued(event_id="q", contact_id=f"c{number}", occurred_at=at_ms, source="t", queue="A")
    return event_row(event, encode(event))


@pytest.mark.stack
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """The sink's insert waits, says so, and goes on when there is room."""
    with small_disk(tmp_path / "clickhouse", "64m") as ballast:
        clickhouse = LocalClickHouse(tmp_path, free_port())
        try:
            clickhouse.start()
            sink = ClickHouseSink(clickhouse.address)
            sink.prepare()
            fill(ballast)
            rows = [row_of(number) for number in range(ROWS)]
            inserting = threading.Thread(target=sink.insert, args=({"events": rows},), daemon=True)
            with capture_logs() as said:
                inserting.start()
                wait_until(lambda: bool(said), "the sink is silent")
            assert said[0]["event"] == "waiting for ClickHouse"
            assert inserting.is_alive()
            ballast.unlink()
            inserting.join(timeout=30)
            assert not inserting.is_alive()
            client = connect(clickhouse.address)
            assert client.query("SELECT count() FROM events FINAL").result_rows[0][0] == ROWS
        finally:
            clickhouse.stop()
