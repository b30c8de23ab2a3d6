"""The gateway killed again and again while senders go on: what was answered 202 is in Kafka, each time."""

import asyncio
import os
import random
import time

import aiohttp
import orjson
import pytest
from support.gateway import BEARER, TOKEN, events_stored
from support.stack import Stack, background

from deploy.local.ports import free_port
from streams.kafka.topics import ensure_topics

pytestmark = pytest.mark.stack
KILLS = int(os.environ.get("RINGBACK_GATEWAY_KILLS", "3"))
SENDERS = 8
SEED = 20_261_127
HEADERS = BEARER | {"Content-Type": "application/json"}


def event(name: str) -> bytes:
    at = 1_767_571_200_000
    common = {"type": "contact_started", "event_id": "started", "occurred_at": at, "source": "kills"}
    return orjson.dumps(common | {"contact_id": name})


async def send(at: str, name: str, until: float, accepted: list[str], refused: list[int]) -> None:
    """One sender, who goes on to the next event when this one is accepted, and sends it again until then."""
    number = 0
    async with aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout(15)) as session:
        while time.monotonic() < until:
            contact = f"{name}-{number}"
            try:
                async with session.post(f"{at}/v1/events", data=event(contact)) as answer:
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.05)
                continue
            if status == 202:
                accepted.append(contact)
                number += 1
            else:
                refused.append(status)


async def senders(at: str, seconds: float) -> tuple[list[str], list[int]]:
    accepted: list[str] = []
    refused: list[int] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(send(at, f"s{n}-{until}", until, accepted, refused) for n in range(SENDERS)))
    return accepted, refused


def test_what_was_accepted_is_there_after_every_kill(stack: Stack) -> None:
    asyncio.run(ensure_topics(stack.bootstrap_servers, 4, 1))
    env = stack.env(RINGBACK_GATEWAY_PORT=str(free_port()), RINGBACK_GATEWAY_TOKEN=TOKEN.decode())
    at, rng = f"http://127.0.0.1:{env['RINGBACK_GATEWAY_PORT']}", random.Random(SEED)
    accepted: list[str] = []
    for _ in range(KILLS):
        with background(env, "gateway") as running:

            async def killed_meanwhile(running=running) -> list[str]:
                sending = asyncio.create_task(senders(at, 3.0))
                await asyncio.sleep(rng.uniform(1.0, 2.5))
                running.process.kill()
                return (await sending)[0]

            found = asyncio.run(killed_meanwhile())
            assert len(found) > SENDERS  # else nothing was tried
            accepted += found
    stored = [
        e.contact_id for e in asyncio.run(events_stored(stack.bootstrap_servers)) if e.source == "kills"
    ]
    print(f"{len(accepted)} accepted, {KILLS} kills, {len(stored)} records of {len({*stored})} events")
    assert {*accepted} - {*stored} == set()
