"""A worker with the largest batches there can be: its loop answers, and Kafka never takes it for gone.

Prints, with pytest -s, how long its loop did not answer at most. RINGBACK_LOOP=60000 takes so many events.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from support.faults import Week
from support.numbers import STILL_S
from support.stack import Stack, background

from deploy.local.ports import free_port
from schemas.events import ContactQueued
from schemas.topics import PASSED_ON_TOPICS, RAW_TOPICS, WORKER_GROUP
from streams.engine.app import SESSION_TIMEOUT_S
from streams.health.group_lag import OffsetReader, wait_for
from streams.kafka.topics import ensure_topics

EVENTS = int(os.environ.get("RINGBACK_LOOP", "30000"))
EVENTS_PER_CONTACT = 6
# Of one contact, as of a source that gives all its contacts one id. All of them are folded by each batch.
HEAVY = 6_000
# What /health needs to answer beside what it measures is far below.
LIMIT_S = SESSION_TIMEOUT_S / 2


@contextmanager
def asked(port: int) -> Iterator[list[float]]:
    """Ask a process again and again whether its loop answers; how long each answer took, in seconds."""
    over, took = threading.Event(), [0.0]

    def ask() -> None:
        while not over.wait(0.005):
            begun = time.monotonic()
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:  # an error when it is 503
                answer.read()
            took.append(time.monotonic() - begun)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


async def everything_sent(stack: Stack) -> int:
    """A simulated week and, first, many events of one contact; how many events."""
    week = Week(0, contacts=EVENTS // EVENTS_PER_CONTACT)
    heavy = [
        ContactQueued(event_id=f"q{n}", contact_id="all", occurred_at=week.begin + n, source="t", queue="A")
        for n in range(HEAVY)
    ]
    week.events[:0] = heavy
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    await week.send(stack)
    return len(week.events)


async def applied(stack: Stack) -> None:
    """Wait until the worker has done everything, in all of its stages."""
    async with OffsetReader(stack.bootstrap_servers) as watch:
        for topics in (RAW_TOPICS, PASSED_ON_TOPICS):  # in this order: one feeds the other
            await wait_for(watch, WORKER_GROUP, await watch.ends(topics), lambda _: None, STILL_S)


async def test_the_largest_batches_keep_no_heartbeat_waiting(fresh_stack: Stack) -> None:
    """All is in Kafka before the worker starts: every batch is as large as it can be."""
    stack, port = fresh_stack, free_port()
    events = await everything_sent(stack)
    with background(stack.env(RINGBACK_METRICS_PORT=str(port)), "worker") as worker, asked(port) as took:
        begun = time.monotonic()
        await applied(stack)
        lasted_s = time.monotonic() - begun
        log = worker.log()
    print(
        f"{events:,} events in {lasted_s:.1f} s; not answered for {max(took):.2f} s at most, of {len(took)}"
    )
    assert (log.count("partitions assigned"), log.count("partitions revoked")) == (1, 0)
    assert max(took) < LIMIT_S
    assert "Traceback" not in log
