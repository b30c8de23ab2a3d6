"""Every webhook source through the gateway into Kafka and ClickHouse; and what the doctor says of sources."""

import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession
from support.gateway import PARTITIONS, client_of, config_of
from support.numbers import answer, verified
from support.samples import SECRET, samples
from support.signing import query_of, signed_headers
from support.stack import Stack, background, run_ringback

from adapters.kit.check import payloads_of
from adapters.kit.source import Source
from adapters.registry import SOURCES
from gateway.taking import Gateway
from streams.kafka.topics import ensure_topics

pytestmark = pytest.mark.stack
POSTED = [source for source in SOURCES if source.adapter]
HOOK = b"a-secret-of-webhooks"
DEAD_MS = 2 * 3_600_000


def bodies(source: Source) -> list[bytes]:
    """The payloads of a source's first sample that holds any which can be posted."""
    return [piece for sample in samples(source)[:2] for piece in payloads_of(source, sample)][:20]


@pytest.fixture(scope="module")
def counting(stack: Stack) -> Iterator[Stack]:
    """A stack whose worker and sink run."""
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        yield stack


@pytest.fixture
async def gateway(counting: Stack) -> AsyncIterator[tuple[Gateway, ClientSession, str]]:
    await ensure_topics(counting.bootstrap_servers, PARTITIONS, 1)
    secrets = {source.name: (HOOK,) for source in POSTED}
    config = config_of(counting.bootstrap_servers, secrets=secrets, customer_secret=SECRET)
    async with client_of(config) as (running, session):
        yield running, session, f"http://{config.host}:{config.port}"


async def post(session: ClientSession, address: str, source: Source, body: bytes) -> dict[str, int]:
    scheme = source.load_scheme()
    path = f"/v1/sources/{source.name}{query_of(scheme, body)}"
    headers = signed_headers(scheme, address + path, body, HOOK)
    async with session.post(path, data=body, headers=headers) as response:
        said: dict[str, int] = await response.json(content_type=None)
        # 200: one sample asks whether the address is ours; 422: one is broken as its vendor broke it
        assert response.status in (200, 202, 422), (source.name, said)
        return {"accepted": 0} | said


async def test_each_source_is_counted_and_is_alive(
    counting: Stack, gateway: tuple[Gateway, ClientSession, str]
) -> None:
    running, session, address = gateway
    accepted = {}
    for source in POSTED:
        found = [await post(session, address, source, body) for body in bodies(source)]
        accepted[source.name] = sum(said["accepted"] for said in found)
    assert min(accepted.values()) > 0, accepted
    beats = running.heartbeats.due()
    for beat in beats:
        await running.write(beat.source, [beat])
    report = verified(counting.env())
    assert report["facts"]["contacts"] > len(POSTED)
    rows = counting.rows(
        "SELECT source, sum(n) FROM (SELECT source, uniqExact(contact_id, event_id, revision) AS n "
        "FROM events GROUP BY source UNION ALL SELECT source, uniqExact(agent, event_id, revision) "
        "FROM agent_events GROUP BY source) GROUP BY source"
    )
    stored = {str(name): int(count) for name, count in rows}
    assert stored.keys() == accepted.keys()
    assert all(0 < stored[name] <= accepted[name] for name in stored), (stored, accepted)
    health = counting.rows("SELECT source, is_live, silent_s, last_event_at IS NOT NULL FROM source_health")
    assert {row[0] for row in health} == {source.name for source in POSTED}
    assert all(live and silent_s < 600 and told for _, live, silent_s, told in health), health


def findings(stack: Stack) -> dict[str, tuple[bool, str]]:
    """What `ringback doctor` says of sources: well, and what it saw."""
    said = run_ringback(stack.env(), "doctor", "--format", "json")
    assert "Traceback" not in said.stderr
    checks = json.loads(said.stdout)["checks"]
    return {
        each["what"].removeprefix("source "): (each["well"], each["seen"])
        for each in checks
        if each["what"].startswith("source ")
    }


def test_the_doctor_misses_a_dead_source_and_no_simulation(counting: Stack) -> None:
    """By a real ClickHouse: what was simulated is over, a source whose signs of life stopped is not."""
    answer(counting.env(), "simulate", "--seed", "5", "--contacts", "60")
    now = time.time_ns() // 1_000_000
    with counting.client() as client:
        dead = [["dead", now - DEAD_MS, now - DEAD_MS + 50]]
        client.insert("heartbeats", dead, column_names=["source", "occurred_at", "told_at"])
    found = findings(counting)
    assert {name for name, (well, _) in found.items() if not well} == {"dead"}
    assert found["dead"][1].startswith("last sign of life 2 h")
    assert "a file or a simulation" in found["simulator"][1]
    assert {source.name for source in POSTED} < found.keys()
