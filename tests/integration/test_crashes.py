"""kill -9 for every part in the middle of an import: the numbers are those of an undisturbed run."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.numbers import json_lines, lag, stored, verified, windows
from support.stack import Running, Stack, background, wait_until

from schemas.topics import (
    CONTACT_EVENTS,
    CONTACTS_CHANGELOG,
    KPI_WINDOWS,
    SINK_GROUP,
    WINDOWS_CHANGELOG,
    WORKER_GROUP,
)
from simulator.deliveries import deliver
from simulator.simulation import START_MS, Simulation
from streams.health.group_lag import OffsetReader

CONTACTS = 4_500
EVENTS_PER_CONTACT = 5
WEEK_MS = 7 * 86_400_000
IMPORT_LIMIT_S = 90.0
POLL_S = 0.01


class Import:
    """`ringback import events` of a simulation of a week of its own, or of some, in the background."""

    def __init__(self, stack: Stack, folder: Path, week: int, contacts: int = CONTACTS) -> None:
        self.stack = stack
        self.begin = START_MS + week * WEEK_MS
        simulation = Simulation(week, start_ms=self.begin, contacts=contacts)
        events = [delivery.event for delivery in deliver(simulation.events(), seed=week)]
        assert len(events) >= EVENTS_PER_CONTACT * contacts
        self.sent, self.truth = len(events), simulation.truth.windows()
        path = folder / f"events-{week}.jsonl"
        path.write_bytes(json_lines(events))
        self.running = Running(stack.env(), "import", "events", str(path), "--no-wait")

    @property
    def process(self):
        return self.running.process

    def wait_sent(self) -> None:
        """Wait until everything is in Kafka."""
        wait_until(lambda: not self.process.alive(), "the import is not done", IMPORT_LIMIT_S)
        assert self.process.returncode == 0, self.running.log()

    async def check(self) -> None:
        """All is stored, nothing lost, nothing counted twice."""
        self.wait_sent()
        await stored(self.stack)
        end = max(self.begin + WEEK_MS, max(self.truth)[0] + 60_000)  # many contacts take more than a week
        found = windows(self.stack, begin=self.begin, end=end)
        assert found == {tuple(key): row for key, row in self.truth.items()}
        verified(self.stack.env())
        assert "Traceback" not in self.running.log()


@pytest.fixture
def data(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """How to start an import; it is ended with the test."""
    started: list[Import] = []

    def start(week: int, contacts: int = CONTACTS) -> Import:
        started.append(Import(stack, tmp_path, week, contacts))
        return started[-1]

    yield SimpleNamespace(start=start)
    for one in started:
        one.process.kill()


async def ends(watch: OffsetReader, topic: str) -> int:
    """Records that a topic has had."""
    return sum((await watch.ends((topic,))).values())


async def grown(watch: OffsetReader, topic: str, by: int) -> None:
    """Wait until a topic has so many records more than now."""
    target, deadline = await ends(watch, topic) + by, time.monotonic() + 60
    while await ends(watch, topic) < target:
        assert time.monotonic() < deadline, f"{topic} does not grow"
        await asyncio.sleep(POLL_S)


def kill(pid: int | None) -> None:
    """kill -9 a part of the local stack; containers are not killed."""
    if pid is None:
        pytest.skip("only the local stack's broker and ClickHouse are killed")
    os.kill(pid, signal.SIGKILL)


async def test_a_worker_killed_at_every_step_of_a_batch(stack: Stack, data: SimpleNamespace) -> None:
    """Killed as soon as it has written contact state, window totals for readers, and the end of a batch."""
    with background(stack.env(), "sink"):
        importing = None
        for topic in (CONTACTS_CHANGELOG, KPI_WINDOWS, WINDOWS_CHANGELOG):
            with background(stack.env(), "worker") as worker:
                importing = importing or data.start(0)
                async with OffsetReader(stack.bootstrap_servers) as watch:
                    await grown(watch, topic, 1)
                worker.process.kill()
            assert await lag(stack, WORKER_GROUP) > 0
        with background(stack.env(), "worker") as last:
            await importing.check()
            assert last.process.alive()
            assert "Traceback" not in last.log()


async def test_a_worker_with_state_on_disk_killed(stack: Stack, data: SimpleNamespace) -> None:
    """What was on disk is not read again, and its lock is in nobody's way; so after a clean stop."""
    env = stack.env(RINGBACK_STATE_STORE="rocksdict")
    with background(stack.env(), "sink"):
        with background(env, "worker") as worker:
            importing = data.start(5)
            async with OffsetReader(stack.bootstrap_servers) as watch:
                await grown(watch, WINDOWS_CHANGELOG, 200)
            worker.process.kill()
        assert await lag(stack, WORKER_GROUP) > 0
        with background(env, "worker") as stopped:
            await importing.check()
        with background(env, "worker") as last:
            await asyncio.sleep(
                2
            )  # stopped the moment it is ready, Faust's recovery is still ending, and says so
        for worker, most in ((stopped, 0.5), (last, 0.01)):
            known, to_go = tail_read(worker)
            assert to_go <= most * known
            assert "dropped" not in worker.log()
            assert "in use by another process" not in worker.log()
            assert "Traceback" not in worker.log()


def tail_read(worker: Running) -> tuple[int, int]:
    """Changelog records that a worker did not have to read, and that it had to."""
    said = re.search(r'event="state on disk is used[^"]*" known=(\d+) to_go=(\d+)', worker.log())
    assert said, worker.log()
    return int(said[1]), int(said[2])


async def test_one_of_two_workers_killed(stack: Stack, data: SimpleNamespace) -> None:
    """The other one takes over all partitions and goes on."""
    with background(stack.env(), "sink"), background(stack.env(), "worker") as stays:
        with background(stack.env(), "worker") as goes:
            wait_until(lambda: last_partitions(stays) + last_partitions(goes) == 4, "partitions not shared")
            assert last_partitions(goes) > 0
            importing = data.start(1)
            async with OffsetReader(stack.bootstrap_servers) as watch:
                await grown(watch, KPI_WINDOWS, 1)
            goes.process.kill()
        assert await lag(stack, WORKER_GROUP) > 0
        await importing.check()
        assert stays.process.alive()
        assert last_partitions(stays) == 4


def last_partitions(worker: Running) -> int:
    """How many partitions a worker last said that it has."""
    said = re.findall(r'event="worker ready" partitions="?\[([^]]*)\]', worker.log())
    return len([part for part in said[-1].split(",") if part]) if said else 0


async def test_a_broker_killed(stack: Stack, data: SimpleNamespace) -> None:
    """Import, worker and sink wait for it, say so, and go on."""
    with background(stack.env(), "sink") as sink, background(stack.env(), "worker") as worker:
        importing = data.start(2)
        async with OffsetReader(stack.bootstrap_servers) as watch:
            await grown(watch, CONTACT_EVENTS, 2_000)
        kill(stack.kafka and stack.kafka.pid)
        wait_until(lambda: "waiting for Kafka" in importing.running.log(), "the import is silent")
        assert importing.process.alive()  # in the middle
        for part in (worker, sink):
            wait_until(lambda part=part: "Unable connect" in part.log(), f"{part.name} is silent")
        assert worker.process.alive()
        assert sink.process.alive()
        stack.kafka.start()
        await importing.check()
        assert worker.process.alive()
        assert sink.process.alive()
        assert "Traceback" not in worker.log() + sink.log()


async def test_a_sink_killed(stack: Stack, data: SimpleNamespace) -> None:
    with background(stack.env(), "worker"):
        before = stack.value("SELECT count() FROM events")
        with background(stack.env(), "sink") as sink:
            importing = data.start(3)
            wait_until(lambda: stack.value("SELECT count() FROM events") > before, "nothing is stored")
            sink.process.kill()
        assert await lag(stack, SINK_GROUP) > 0
        importing.wait_sent()
        with background(stack.env(), "sink") as sink:
            await importing.check()
            assert "Traceback" not in sink.log()


async def test_clickhouse_killed(stack: Stack, data: SimpleNamespace) -> None:
    """The sink waits and says so; nothing that ClickHouse had acknowledged is missing."""
    with background(stack.env(), "worker"), background(stack.env(), "sink") as sink:
        before = stack.value("SELECT count() FROM events")
        importing = data.start(4)
        wait_until(lambda: stack.value("SELECT count() FROM events") > before, "nothing is stored")
        kill(stack.clickhouse and stack.clickhouse.pid)
        assert await lag(stack, SINK_GROUP) > 0
        wait_until(lambda: "waiting for ClickHouse" in sink.log(), "the sink does not say that it waits")
        importing.wait_sent()
        assert sink.process.alive()
        stack.clickhouse.start()
        await importing.check()
        assert "ClickHouse answers" in sink.log()
        assert "Traceback" not in sink.log()
