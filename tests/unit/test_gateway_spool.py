"""What the gateway answers while there is no Kafka at all: 202 from the spool, 503 when that is full."""

from dataclasses import replace
from pathlib import Path

import orjson
from aiohttp import ClientSession
from prometheus_client import generate_latest
from support.gateway import BEARER, client_of, config_of

from gateway.limits import DEFAULTS
from gateway.spool.segments import Segments

NOBODY = "127.0.0.1:9"  # nothing listens there
HEADERS = BEARER | {"Content-Type": "application/json"}
LIMITS = replace(DEFAULTS, spool_after_s=0.2, acknowledged_limit_s=1.0)


async def post(session: ClientSession, contact: str) -> tuple[int, dict[str, object], str | None]:
    event = {"type": "contact_started", "event_id": "e", "contact_id": contact, "source": "test"}
    body = orjson.dumps(event | {"occurred_at": 1_767_571_200_000})
    async with session.post("/v1/events", data=body, headers=HEADERS) as answer:
        return answer.status, orjson.loads(await answer.read()), answer.headers.get("Retry-After")


async def ready(session: ClientSession) -> tuple[int, str]:
    async with session.get("/ready") as answer:
        return answer.status, await answer.text()


async def test_events_lie_on_disk_when_they_are_accepted(tmp_path: Path) -> None:
    async with client_of(config_of(NOBODY, spool=tmp_path, limits=LIMITS)) as (gateway, session):
        answers = [await post(session, f"c{n}") for n in range(20)]
        metrics = generate_latest(gateway.metrics.registry).decode()
        assert await ready(session) == (200, "ready; Kafka does not answer, events go to the spool\n")
    assert [status for status, _, _ in answers] == [202] * 20
    assert "ringback_gateway_spooled_total 20.0" in metrics
    segments = Segments(tmp_path)
    found = [frame.record.key for name in segments.names() for frame in segments.read(name)]
    segments.close()
    assert sorted(found) == sorted(b"c%d" % n for n in range(20))


async def test_a_full_spool_is_said_and_asks_to_come_again(tmp_path: Path) -> None:
    limits = replace(LIMITS, spool_max_bytes=500)
    async with client_of(config_of(NOBODY, spool=tmp_path, limits=limits)) as (_, session):
        answers = [await post(session, f"c{n}") for n in range(20)]
        assert (await ready(session))[0] == 200  # a small event may still fit
    statuses = [status for status, _, _ in answers]
    assert statuses == sorted(statuses)
    assert {*statuses} == {202, 503}
    _, said, retry_after = answers[-1]
    assert said["code"] == "spool_full"
    assert retry_after is not None


async def test_without_a_spool_it_is_refused(tmp_path: Path) -> None:
    async with client_of(config_of(NOBODY, limits=LIMITS)) as (_, session):
        status, said, retry_after = await post(session, "c")
        assert (status, said["code"], retry_after) == (503, "kafka", "5")
        assert (await ready(session))[0] == 503
