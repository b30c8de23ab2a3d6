"""The spool's disk is really full, Kafka is away, the gateway is killed: what was accepted is in Kafka."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import pytest
from support.faults import fill, small_disk
from support.gateway import BEARER, TOKEN, events_stored
from support.stack import Stack, background

from deploy.local.ports import free_port
from streams.kafka.topics import ensure_topics

pytestmark = pytest.mark.stack
EVENTS = 200  # of one request
HEADERS = BEARER | {"Content-Type": "application/json"}
LIMIT_S = 30.0


@dataclass
class Sent:
    """Contacts by what the gateway last said of them; those that it did not answer are in neither."""

    accepted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    requests: int = 0

    async def post(self, session: aiohttp.ClientSession) -> str:
        """One request; what was said: 202, or the code of the problem."""
        self.requests += 1
        names = {f"disk-{self.requests}-{n}" for n in range(EVENTS)}
        common = {"type": "contact_started", "event_id": "e", "occurred_at": 1_767_571_200_000}
        body = orjson.dumps([common | {"source": "disk", "contact_id": name} for name in sorted(names)])
        async with session.post("/v1/events", data=body) as answer:
            said = orjson.loads(await answer.read())
            if answer.status == 202:
                self.accepted |= names
                return "202"
            assert int(answer.headers["Retry-After"]) > 0
            self.refused |= names
            return f"{answer.status} {said['code']}"


def files_in(folder: Path) -> list[str]:
    """The segments there."""
    return [path.name for path in folder.glob("*.spool")]


def session_at(env: Mapping[str, str]) -> aiohttp.ClientSession:
    at = f"http://127.0.0.1:{env['RINGBACK_GATEWAY_PORT']}"
    return aiohttp.ClientSession(at, headers=HEADERS, timeout=aiohttp.ClientTimeout(15))


async def until(sent: Sent, session: aiohttp.ClientSession, wanted: str) -> None:
    """Post until it is answered like this."""
    async with asyncio.timeout(LIMIT_S):
        while await sent.post(session) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def killed_while_it_fills(env: Mapping[str, str], sent: Sent) -> None:
    with background(env, "gateway") as gateway:
        async with session_at(env) as session:
            await sent.post(session)
            sending = [asyncio.create_task(until(sent, session, "never")) for _ in range(4)]
            await asyncio.sleep(0.3)
            gateway.process.kill()
            gone = await asyncio.gather(*sending, return_exceptions=True)
    assert all(isinstance(error, aiohttp.ClientError) for error in gone)


async def filled_and_given_room(env: Mapping[str, str], sent: Sent, folder: Path, ballast: Path) -> None:
    """Full, it refuses and makes no files; with room, it takes again; it is left full, and killed."""
    with background(env, "gateway") as gateway:
        async with session_at(env) as session:
            assert await sent.post(session) == "202"  # what was found there leaves room
            fill(ballast)
            await until(sent, session, "503 spool_full")
            files = files_in(folder)
            assert {await sent.post(session) for _ in range(20)} == {"503 spool_full"}
            assert files_in(folder) == files
            await asyncio.to_thread(ballast.unlink)
            assert await sent.post(session) == "202"
            fill(ballast)
            await until(sent, session, "503 spool_full")
            gateway.process.kill()


async def drained(env: Mapping[str, str], sent: Sent, folder: Path) -> None:
    """Kafka is there, the disk still has no room but what the spool gives back."""
    with background(env, "gateway"):
        async with asyncio.timeout(LIMIT_S), session_at(env) as session:
            while files_in(folder):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await until(sent, session, "202")


async def test_a_full_disk_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    sent = Sent()
    port, token = str(free_port()), TOKEN.decode()
    with small_disk(tmp_path / "disk", "8m") as ballast:
        folder = tmp_path / "disk" / "spool"
        own = {"RINGBACK_GATEWAY_PORT": port, "RINGBACK_GATEWAY_TOKEN": token}
        env = stack.env(RINGBACK_GATEWAY_SPOOL=str(folder), **own)
        away = env | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}  # nothing listens there
        await killed_while_it_fills(away, sent)
        await filled_and_given_room(away, sent, folder, ballast)
        await drained(env, sent, folder)
    assert sent.refused
    stored = [e.contact_id for e in await events_stored(stack.bootstrap_servers) if e.source == "disk"]
    assert sent.accepted - {*stored} == set()
    assert sent.refused & {*stored} == set()
