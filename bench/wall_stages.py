"""What stands between an event and the pixel, for bench.wall: when each stage had which number of probes.

All on this machine's clock. A stage is watched as pairs of a number and when it was first seen there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson
import psutil
from aiokafka import AIOKafkaConsumer

from schemas.topics import CONTACT_FACTS
from sinks.connection import connect

POLL_S = 0.1
Seen = list[tuple[int, float]]  # so many probes, and when
STORED = "SELECT count() FROM legs WHERE queue = {queue:String}"


async def published(servers: str, queue: str, seen: Seen) -> None:
    """By when the worker had given the fact to Kafka's client."""
    looked_for, contacts = f'"queue":"{queue}"'.encode(), set[bytes]()
    async with AIOKafkaConsumer(CONTACT_FACTS, bootstrap_servers=servers) as consumer:
        async for record in consumer:
            if record.value and looked_for in record.value and record.key not in contacts:
                contacts.add(record.key)
                seen.append((len(contacts), record.timestamp / 1000))


async def stored(url: str, queue: str, seen: Seen) -> None:
    """By when a query found it in ClickHouse, asked ten times a second."""
    client = connect(url)
    while True:
        began = time.time()
        found = await asyncio.to_thread(client.query, STORED, {"queue": queue})
        count = int(found.result_rows[0][0])
        if not seen or count > seen[-1][0]:
            seen.append((count, time.time()))
        await asyncio.sleep(max(began + POLL_S - time.time(), POLL_S / 4))


async def pushed(url: str, queue: str, seen: Seen) -> None:
    """By when a viewer was sent it."""
    timeout = aiohttp.ClientTimeout(None)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22) as session,
        session.get(f"{url}/events") as answer,
    ):
        async for line in answer.content:
            if not line.startswith(b"data: ") or b'"live"' not in line:
                continue
            for tile in orjson.loads(line[6:]).get("queues", ()):
                if tile["queue"] == queue:
                    seen.append((tile["live"]["waiting_now"], time.time()))


@asynccontextmanager
async def watching(servers: str, clickhouse: str, wall: str, queue: str) -> AsyncIterator[dict[str, Seen]]:
    """The stages while it lasts, by name and in order."""
    stages: dict[str, Seen] = {"published": [], "stored": [], "pushed": []}
    watchers: list[Coroutine[Any, Any, None]] = [
        published(servers, queue, stages["published"]),
        stored(clickhouse, queue, stages["stored"]),
        pushed(wall, queue, stages["pushed"]),
    ]
    tasks = [asyncio.create_task(watcher) for watcher in watchers]
    try:
        yield stages
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def cpu_s(named: dict[str, int | None]) -> dict[str, float]:
    """CPU seconds so far of processes by name, of this one, and of all its browsers together."""
    own = psutil.Process()
    browsers = [one for one in own.children(recursive=True) if "chrom" in one.name()]
    groups = {name: [psutil.Process(pid)] for name, pid in named.items() if pid} | {"bench": [own]}
    groups["browser"] = browsers
    return {name: sum(sum(one.cpu_times()[:2]) for one in group) for name, group in groups.items()}


def shares(before: dict[str, float], after: dict[str, float], seconds: float) -> dict[str, int]:
    """Percent of a core in between."""
    return {name: round(100 * (after[name] - used) / seconds) for name, used in before.items()}


def delays(due: list[float], seen: Seen, before: int = 1) -> tuple[list[float], int]:
    """Of each probe the time until a number that counts it was seen, and how many never were.

    `before` is how many waited before the first.
    """
    found, missing = [], 0
    for number, at in enumerate(due, 1):
        when = next((when for count, when in seen if count >= number + before), None)
        if when is None:
            missing += 1
        else:
            found.append(when - at)
    return sorted(found), missing
