"""The gateway on a real Kafka: what is answered 202 is there, and what is refused is not."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson
import pytest
from support.gateway import BEARER, TOKEN, client_of, config_of, events_stored
from support.stack import Stack, background

from cli.port_offsets import PORT_OFFSETS
from deploy.local.ports import free_port
from streams.kafka.topics import ensure_topics

pytestmark = pytest.mark.stack
AT = 1_767_571_200_000


def event(contact: str, **more: object) -> dict[str, object]:
    return {
        "type": "contact_started",
        "event_id": f"{contact}-started",
        "contact_id": contact,
        "occurred_at": AT,
        "source": "test",
    } | more


async def post(session, body: bytes, content_type: str = "application/json", **headers: str):
    async with session.post(
        "/v1/events", data=body, headers=BEARER | {"Content-Type": content_type} | headers
    ) as answer:
        return answer.status, orjson.loads(await answer.read()), answer.headers


async def contacts(stack: Stack) -> list[str]:
    return sorted(e.contact_id for e in await events_stored(stack.bootstrap_servers))


async def test_every_form_of_events_reaches_kafka(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    cloud = {"specversion": "1.0", "id": "x", "source": "cloud", "type": "org.ringback.contact_started"}
    bodies = [
        ("application/json", orjson.dumps(event("one", customer_id="+49 30 12345"))),
        ("application/json; charset=utf-8", orjson.dumps([event("two"), event("three")])),
        ("application/x-ndjson", orjson.dumps(event("four")) + b"\r\n\n" + orjson.dumps(event("five"))),
        (
            "application/cloudevents-batch+json",
            orjson.dumps(
                [
                    cloud | {"subject": "six", "time": "2026-01-05T00:00:00Z", "data": {}},
                    cloud | {"data": event("seven")},
                ]
            ),
        ),
    ]
    async with client_of(config_of(stack.bootstrap_servers)) as (_, session):
        answers = [await post(session, body, kind) for kind, body in bodies]
    assert [(status, said["accepted"]) for status, said, _ in answers] == [
        (202, 1),
        (202, 2),
        (202, 2),
        (202, 2),
    ]
    events = {e.contact_id: e for e in await events_stored(stack.bootstrap_servers)}
    assert sorted(events) == ["five", "four", "one", "seven", "six", "three", "two"]
    assert events["six"].event_id == "x"
    assert events["six"].source == "cloud"
    assert len(events["one"].customer_key) == 32
    assert "12345" not in events["one"].model_dump_json()


async def test_what_is_refused_says_why_and_is_not_there(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    good, bad = event("refused"), event("refused-too", occurred_at=1)
    cases = [
        (422, "invalid_events", orjson.dumps([good, bad]), "application/json", {}),
        (422, "invalid_json", b'{"type":', "application/json", {}),
        (422, "invalid_utf8", b'{"type":"\xff"}', "application/json", {}),
        (422, "not_an_object", b"[1]", "application/json", {}),
        (422, "not_a_cloud_event", orjson.dumps([good]), "application/cloudevents-batch+json", {}),
        (415, "media_type", orjson.dumps(good), "text/plain", {}),
        (415, "content_encoding", orjson.dumps(good), "application/json", {"Content-Encoding": "gzip"}),
        (413, "too_large", b" " * 1_000_001, "application/json", {}),
        (413, "too_many", orjson.dumps([{}] * 10_001), "application/json", {}),
        (401, "wrong_token", orjson.dumps(good), "application/json", {"Authorization": "Bearer no"}),
        (401, "no_token", orjson.dumps(good), "application/json", {"Authorization": "Basic no"}),
    ]
    async with client_of(config_of(stack.bootstrap_servers)) as (_, session):
        for status, code, body, kind, headers in cases:
            answered, said, got = await post(session, body, kind, **headers)
            assert (answered, said["code"]) == (status, code), said
            assert got["Content-Type"] == "application/problem+json"
            assert said["status"] == status
        (error,) = (await post(session, orjson.dumps([good, bad])))[1]["errors"]
        assert error["index"] == 1
        assert error["reason"] == "bad_time"
        async with session.get("/v1/events") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        async with session.get("/nothing") as answer:
            assert (answer.status, orjson.loads(await answer.read())["code"]) == (404, "http_404")
    assert [name for name in await contacts(stack) if name.startswith("refused")] == []


async def test_a_disk_that_takes_nothing_does_not_keep_out_a_kafka_that_does(
    stack: Stack, tmp_path: Path
) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    spool = tmp_path / "spool"
    async with client_of(config_of(stack.bootstrap_servers, spool=spool)) as (gateway, session):
        (spool / "lock").unlink()
        spool.rmdir()
        gateway.kafka.doubt("nothing was acknowledged in time")
        status, said, _ = await post(session, orjson.dumps(event("on-a-full-disk")))
        assert (status, said) == (202, {"accepted": 1})
        assert not gateway.kafka.trouble
    assert "on-a-full-disk" in await contacts(stack)


def free_ports(stack: Stack, **more: str) -> dict[str, str]:
    metrics = free_port(*PORT_OFFSETS)
    return stack.env(RINGBACK_GATEWAY_PORT=str(free_port()), RINGBACK_METRICS_PORT=str(metrics)) | more


def call(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = Request(url, body, headers)  # noqa: S310
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as refused:
        return refused.code, refused.read()


def wait_until(done: Callable[[], bool], limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_the_command_takes_events_and_loses_none_while_kafka_is_away(
    fresh_stack: Stack, tmp_path: Path
) -> None:
    """`ringback gateway` itself: Kafka goes, it is killed, begins again without Kafka, Kafka comes back."""
    asyncio.run(ensure_topics(fresh_stack.bootstrap_servers, 4, 1))
    token = tmp_path / "token"
    token.write_text(f"{TOKEN.decode()}\nanother-token-during-a-rotation\n")
    env = free_ports(fresh_stack, RINGBACK_GATEWAY_TOKEN_FILE=str(token))
    at = f"http://127.0.0.1:{env['RINGBACK_GATEWAY_PORT']}"
    observed = f"http://127.0.0.1:{int(env['RINGBACK_METRICS_PORT']) + 32}"
    headers = {"Content-type": "application/json", **BEARER}
    with background(env, "gateway") as running:
        # It listens before Kafka has told it all: until then the spool takes what comes.
        wait_until(lambda: call(f"{observed}/ready") == (200, b"ready\n"), 60)
        assert call(f"{at}/v1/events", orjson.dumps(event("before")), **headers)[0] == 202
        assert fresh_stack.kafka is not None
        fresh_stack.kafka.stop()
        for n in range(20):
            assert call(f"{at}/v1/events", orjson.dumps(event(f"away-{n}")), **headers)[0] == 202
        assert b"events go to the spool" in call(f"{observed}/ready")[1]
        spooled = re.search(rb"ringback_gateway_spooled_total (\d+)", call(f"{observed}/metrics")[1])
        assert spooled is not None
        assert int(spooled[1]) > 10
        running.process.kill()
    with background(env, "gateway") as running:  # a gateway that begins without Kafka takes events as well
        assert call(f"{at}/v1/events", orjson.dumps(event("begun without")), **headers)[0] == 202
        fresh_stack.kafka.start()
        wait_until(lambda: b"ringback_gateway_spool_bytes 0.0" in call(f"{observed}/metrics")[1], 60)
        assert call(f"{observed}/ready") == (200, b"ready\n")
        assert call(f"{at}/v1/events", orjson.dumps(event("after")), **headers)[0] == 202
        assert TOKEN.decode() not in running.log()
    found = {e.contact_id for e in asyncio.run(events_stored(fresh_stack.bootstrap_servers))}
    assert found == {"before", "after", "begun without", *(f"away-{n}" for n in range(20))}
    assert list((fresh_stack.data_dir / "gateway-spool").glob("*.spool")) == []
