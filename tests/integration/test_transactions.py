"""Producers that use transactions: what they took back was never sent, and their markers hold up nobody."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from support.numbers import ended, json_lines, lag, stored, verified
from support.stack import Stack, background, wait_until

from schemas.codec import encode
from schemas.events import ContactEvent, ContactQueued, ContactStarted
from schemas.topics import CONTACT_EVENTS, CONTACTS_CHANGELOG, SINK_GROUP, WORKER_GROUP

BEGIN_MS = 1_770_000_000_000
# Well below the minute that an import or verify waits for what stands still.
AT_ONCE_S = 20.0
QUEUES = "SELECT queue, sum(offered) FROM kpi_windows FINAL GROUP BY queue ORDER BY queue"


def call(contact: str, queue: str) -> list[ContactEvent]:
    """A contact that began and waits."""
    return [
        ContactStarted(event_id="s", contact_id=contact, occurred_at=BEGIN_MS, source="tx"),
        ContactQueued(event_id="q", contact_id=contact, occurred_at=BEGIN_MS + 10, source="tx", queue=queue),
    ]


@asynccontextmanager
async def transactional(stack: Stack, name: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that can begin transactions."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, transactional_id=name)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send(producer: AIOKafkaProducer, contact: str, queue: str) -> None:
    for event in call(contact, queue):
        await producer.send_and_wait(CONTACT_EVENTS, encode(event), key=contact.encode())


async def test_what_was_taken_back_does_not_count_and_markers_hold_up_nobody(stack: Stack) -> None:
    with background(stack.env(), "worker") as worker, background(stack.env(), "sink"):
        async with transactional(stack, "committing") as producer:
            for number in range(10):
                await producer.begin_transaction()
                await send(producer, f"kept-{number}", "kept")
                await producer.commit_transaction()
                await producer.begin_transaction()
                await send(producer, f"gone-{number}", "gone")
                await producer.abort_transaction()
            since = time.monotonic()
            await stored(stack)
            assert time.monotonic() - since < AT_ONCE_S
            assert stack.rows(QUEUES) == [("kept", 10)]
            assert await lag(stack, WORKER_GROUP) == await lag(stack, SINK_GROUP) == 0
            # One that stays open: what was sent behind it waits, and nobody waits for that.
            await producer.begin_transaction()
            await send(producer, "open", "open")
            assert verified(stack.env())["windows"] == 1
            assert stack.rows(QUEUES) == [("kept", 10)]
            await producer.abort_transaction()
        file = stack.data_dir / "behind.jsonl"
        file.write_bytes(
            json_lines(event for number in range(20) for event in call(f"late-{number}", "late"))
        )
        since = time.monotonic()
        ended(stack.env(), 0, "import", "events", str(file))
        assert time.monotonic() - since < AT_ONCE_S
        assert verified(stack.env())["windows"] == 2
        assert stack.rows(QUEUES) == [("kept", 10), ("late", 20)]
        assert "stuck" not in worker.log()


async def test_a_transaction_left_open_in_a_changelog_hides_no_state(fresh_stack: Stack) -> None:
    stack = fresh_stack
    totals = "SELECT sum(offered), sum(waiting) FROM kpi_windows FINAL"
    with background(stack.env(), "sink"):
        with background(stack.env(), "worker"):
            pass  # topics are there
        async with transactional(stack, "alien") as producer:
            await producer.begin_transaction()
            for partition in range(4):
                await producer.send_and_wait(CONTACTS_CHANGELOG, None, key=b"\xffalien", partition=partition)
            for half in ("s", "q"):  # a worker each: the second needs what the first has kept
                with background(stack.env(), "worker"):
                    plain = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers)
                    await plain.start()
                    for number in range(10):
                        events = [event for event in call(f"c-{number}", "q") if event.event_id == half]
                        await plain.send_and_wait(CONTACT_EVENTS, encode(events[0]), key=b"c-%d" % number)
                    await plain.stop()
                    await stored(stack)
            wait_until(lambda: stack.rows(totals) == [(10, 10)], "not every contact is counted once")
            assert stack.rows("SELECT count() FROM contacts FINAL WHERE direction = 'inbound'") == [(10,)]
            verified(stack.env())
            await producer.abort_transaction()
