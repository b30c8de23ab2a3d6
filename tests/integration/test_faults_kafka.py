"""Whole topics come again, clocks jump, the broker's disk is slow or full."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from support.faults import FAULT_S, LONG_S, Altered, Week, agrees, fill, small_disk, stop_and_go
from support.numbers import stored, windows
from support.stack import Running, Stack, background, local_stack, wait_until

from deploy.local.ports import free_port
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS
from streams.health.group_lag import OffsetReader

STOP_S = 5
FAR_BEHIND_MS, FAR_AHEAD_MS = 662_688_000_000, 4_039_372_800_000  # January 1991 and 2098
# The clock of the machine, as Python tells it, is a day ahead or behind, another way at every look.
CLOCK_JUMPS = """
import itertools, time
DAY_S = 86_400
off = itertools.cycle((0, DAY_S, -DAY_S, 3 * DAY_S))
seconds, nanoseconds = time.time, time.time_ns
time.time = lambda: seconds() + next(off)
time.time_ns = lambda: nanoseconds() + next(off) * 10**9
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def parts(stack: Stack, port: int) -> Iterator[list[Running]]:
    """A worker and a sink for all tests of a shared stack, which none of these faults may end."""
    env = stack.env(RINGBACK_METRICS_PORT=str(port))
    with background(env, "worker") as worker, background(stack.env(), "sink") as sink:
        yield [worker, sink]
        for part in (worker, sink):
            assert part.process.alive()
            assert "Traceback" not in part.log()


def ignored(port: int, topic: str) -> int:
    """Records of a topic that a worker has met before, as it says itself."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    name = "ringback_duplicates_ignored_total"
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(int(sample.value) for sample in found if sample.labels["topic"] == topic)


async def sent_again(stack: Stack, topic: str) -> int:
    """Write every record of a topic once more, where it is; how many there were."""
    async with OffsetReader(stack.bootstrap_servers) as watch:
        ends = {TopicPartition(*where): end for where, end in (await watch.ends((topic,))).items()}
    servers = stack.bootstrap_servers
    async with (
        AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(bootstrap_servers=servers, linger_ms=20) as producer,
    ):
        consumer.assign(list(ends))
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        await producer.send(topic, record.value, record.key, partition=tp.partition)
        await producer.flush()
    return sum(ends.values())


async def test_whole_topics_come_again(stack: Stack, parts: list[Running], port: int) -> None:
    week = Week(0)
    await week.send(stack)
    await week.check(stack)
    before = ignored(port, CONTACT_EVENTS)
    again = await sent_again(stack, CONTACT_EVENTS)
    await sent_again(stack, AGENT_EVENTS)
    await week.check(stack)
    assert again >= len(week.events)
    assert ignored(port, CONTACT_EVENTS) == before + again


async def test_events_dated_far_behind_and_far_ahead(stack: Stack, parts: list[Running]) -> None:
    """Told in turn, as by sources whose clocks jump."""
    weeks = [Week(1, start_ms=FAR_BEHIND_MS), Week(1, start_ms=FAR_AHEAD_MS)]
    for week in weeks:
        await week.send(stack)
    for week in weeks:
        await week.check(stack)


async def test_a_broker_whose_disk_is_slow(stack: Stack, parts: list[Running]) -> None:
    """The broker is made to stand still for 0.4 s and to run for 0.1 s: nothing slows the disk itself."""
    if stack.kafka is None:
        pytest.skip("only the local stack's broker is slowed down")
    week = Week(2)
    with stop_and_go(stack.kafka.pid):
        await week.send(stack)
        await asyncio.sleep(FAULT_S)
    await week.check(stack)


async def test_a_worker_whose_clock_jumps(stack: Stack, parts: list[Running]) -> None:
    """Beside another one, which then has to take over half of the partitions."""
    week = Week(3)
    jumping = Altered(stack.env(), CLOCK_JUMPS, "worker")
    try:
        jumping.wait_ready()
        await week.send(stack)
        await week.check(stack)
        assert jumping.process.alive()
        assert "Traceback" not in jumping.log()
    finally:
        jumping.process.stop()


def test_a_sink_that_waits_for_kafka_can_be_stopped(stack: Stack) -> None:
    sink = Running(stack.env(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}"), "sink")
    wait_until(lambda: "waiting for Kafka" in sink.log(), "the sink is silent")
    asked = time.monotonic()
    sink.process.stop()
    assert time.monotonic() - asked < STOP_S
    assert sink.process.returncode == 0


@pytest.mark.stack
@pytest.mark.skipif(LONG_S is None, reason="takes a minute; RINGBACK_FAULT_S=2 runs it")
async def test_the_disk_of_the_broker_is_full(tmp_path: Path) -> None:
    """It ends itself; worker and sink wait. With room on the disk and a new start everything goes on."""
    week = Week(4)
    with (
        small_disk(tmp_path / "kafka", "1g") as ballast,
        local_stack(tmp_path) as stack,
        background(stack.env(), "worker") as worker,
        background(stack.env(), "sink") as sink,
    ):
        await week.send(stack)
        await stored(stack)
        fill(ballast)
        more = Week(5)
        sending = asyncio.create_task(more.send(stack))
        await asyncio.to_thread(wait_until, lambda: not stack.kafka.alive(), "the broker goes on")
        assert not sending.done()
        ballast.unlink()
        stack.kafka.start()
        await sending
        await more.check(stack)
        assert windows(stack, begin=week.begin, end=more.begin) == week.truth
        agrees(stack)
        assert worker.process.alive()
        assert sink.process.alive()
