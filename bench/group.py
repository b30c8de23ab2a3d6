"""Measures a process that consumes in a group: from its being ready until all it read is committed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.errors import GroupCoordinatorNotAvailableError

from bench.meter import SAMPLE_S, Meter, Outcome
from bench.stack import Stack
from deploy.local.child import ChildProcess, Command, log_tail
from streams.health.group_lag import OffsetReader, Offsets, reached
from streams.health.ready_file import VARIABLE

READY_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Member:
    """A program that consumes: `python -m <argv>`, its group, and the topics it is to finish.

    `passed_on` are topics that it writes for itself to read. `unread` is the number of Kafka's own records at
    the end of these, which no reader sees and commits.
    """

    name: str
    argv: Sequence[str]
    group: str
    topics: tuple[str, ...]
    passed_on: tuple[str, ...] = ()
    unread: int = 0


def command(stack: Stack, member: Member) -> Command:
    """How it is started. Its settings are ours, whatever the environment says."""
    ready = stack.folder / f"{member.name}.ready"
    ready.unlink(missing_ok=True)
    env = {
        VARIABLE: os.fspath(ready),
        "KAFKA_BOOTSTRAP_SERVERS": stack.servers,
        "CLICKHOUSE_URL": stack.clickhouse_url,
        "RINGBACK_DATA_DIR": os.fspath(stack.folder),
        "RINGBACK_PARTITIONS": str(stack.partitions),
        "RINGBACK_LOG_LEVEL": "WARNING",
    }
    log = stack.folder / "logs" / f"{member.name}.log"
    return Command([sys.executable, "-m", *member.argv], log, env, stop_limit_ms=30_000)


async def until_ready(child: ChildProcess) -> None:
    """Wait for the ready file."""
    name = child.command.env[VARIABLE]
    while not os.path.exists(name):  # noqa: ASYNC240 - one look at a local file
        require_alive(child)
        await asyncio.sleep(READY_POLL_S)


def require_alive(child: ChildProcess) -> None:
    """Raise with its last words when it has ended."""
    if not child.alive():
        raise RuntimeError(f"{child.command.argv} ended: {log_tail(child.command.log_path, 10)}")


async def committed(watch: OffsetReader, group: str) -> Offsets:
    """Offsets of a group; a new broker makes the topic that holds them when first asked."""
    while True:
        try:
            return await watch.committed(group)
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(SAMPLE_S)


@asynccontextmanager
async def running(stack: Stack, member: Member) -> AsyncIterator[ChildProcess]:
    """The process while the block runs, ready when it begins."""
    child = ChildProcess(command(stack, member))
    try:
        await until_ready(child)
        yield child
    finally:
        child.stop()


async def finished(watch: OffsetReader, member: Member, ends: Offsets) -> bool:
    """Has the group committed what was there, and what it passed on to itself since?"""
    done = await committed(watch, member.group)
    if not reached(done, ends):
        return False
    if not member.passed_on:
        return True
    passed_on = await watch.ends(member.passed_on)  # no more than this: its source is committed after it
    return reached(done, {where: end - member.unread for where, end in passed_on.items()})


async def consume(stack: Stack, member: Member) -> Outcome:
    """Run it until its group has committed everything that its topics held at the start."""
    async with OffsetReader(stack.servers) as watch:
        ends, before = await watch.ends(member.topics), await committed(watch, member.group)
        records = sum(end - before.get(where, 0) for where, end in ends.items())
        async with running(stack, member) as child:
            meter = Meter(child.pid)
            while not await finished(watch, member, ends):
                require_alive(child)
                meter.sample()
                await asyncio.sleep(SAMPLE_S)
            return meter.outcome(records)
