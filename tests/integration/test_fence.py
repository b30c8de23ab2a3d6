"""A worker that hangs for longer than its session can write no state afterwards; the numbers stay right."""

import os
import signal
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP
from support.stack import Stack, background, wait_until
from test_crashes import Import, data, grown, last_partitions

from schemas.topics import CONTACTS_CHANGELOG, SOURCE_HEARTBEATS, WINDOWS_CHANGELOG
from streams.health.group_lag import OffsetReader
from streams.kafka.fenced_writer import FENCE, Fenced, FencedWriter
from streams.kafka.topics import ensure_topics

CONTACTS = 3_000
PARTITION = TP(CONTACTS_CHANGELOG, 1)
__all__ = ["data"]  # the fixture


async def written(servers: str, changelog: str) -> list[tuple[bytes, bytes | None]]:
    """All records of the partition."""
    tp = TopicPartition(changelog, PARTITION.partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        found: list[tuple[bytes, bytes | None]] = []
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        await consumer.stop()


async def test_the_broker_refuses_who_had_a_partition_before(stack: Stack) -> None:
    servers = stack.bootstrap_servers
    await ensure_topics(servers, 4, 1)
    old, new = FencedWriter(servers), FencedWriter(servers)
    try:
        await old.take({PARTITION.partition})
        await old.write(*PARTITION, [(b"a", b"old")])
        await old.keep()
        await old.write(*PARTITION, [(b"b", b"old")])
        await new.take({PARTITION.partition})
        for changelog in (CONTACTS_CHANGELOG, WINDOWS_CHANGELOG):
            with pytest.raises(Fenced, match="partition 1"):
                await old.write(changelog, PARTITION.partition, [(b"a", b"stale")] * 3)
        with pytest.raises(Fenced):
            await old.keep()
        await new.write(*PARTITION, [(b"a", b"new")])
        await old.write(SOURCE_HEARTBEATS, 0, [(b"a", b"outputs are not fenced")])
        await new.write(*PARTITION, gone := [(b"a", None), (b"b", None)])
    finally:
        await old.stop()
        await new.stop()
    expected = [*FENCE, (b"a", b"old"), *FENCE, (b"b", b"old"), *FENCE, (b"a", b"new"), *gone]
    assert await written(servers, CONTACTS_CHANGELOG) == expected
    assert await written(servers, WINDOWS_CHANGELOG) == [*FENCE] * 3


async def test_a_worker_that_hangs_and_wakes_up(stack: Stack, data: SimpleNamespace) -> None:
    """In the middle of a batch, for longer than its session. It says what happened, and nothing is wrong."""
    with (
        background(stack.env(), "sink"),
        background(stack.env(), "worker") as stays,
        background(stack.env(), "worker") as hangs,
    ):
        wait_until(lambda: last_partitions(stays) + last_partitions(hangs) == 4, "partitions not shared")
        importing: Import = data.start(5, CONTACTS)
        async with OffsetReader(stack.bootstrap_servers) as watch:
            await grown(watch, CONTACTS_CHANGELOG, 100)
        os.kill(hangs.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: last_partitions(stays) == 4, "nobody takes over")
        finally:
            os.kill(hangs.pid, signal.SIGCONT)
        await importing.check()
        assert "Traceback" not in stays.log()
        assert "/streams/" not in hangs.log()  # nor in its; Faust's end of a worker that hung may have one
        assert stays.process.alive()
        # Or it was stopped between two batches, and is a worker like any other again.
        if "worker stops" in hangs.log():
            assert "another worker has taken over partition" in hangs.log()
            wait_until(lambda: not hangs.process.alive(), "the fenced worker does not end")
        else:
            assert hangs.process.alive()
