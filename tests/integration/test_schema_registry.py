"""Confluent wire format through a real schema registry."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from support.faults import Relay, Week, agrees
from support.numbers import lag, stored
from support.registry import registry
from support.stack import Running, Stack, background, run_ringback, wait_until

from adapters.sending.producer import EventSender
from adapters.sending.records import OutgoingRecord
from adapters.sending.schema_registry import NotLearnt, SchemaRegistry
from cli.port_offsets import SINK_PORT_OFFSET
from deploy.local.ports import free_port
from schemas.avro_schemas import raw_schema
from schemas.codec import DecodeError, encode, encode_body
from schemas.confluent import decode_confluent, encode_confluent, schema_ids
from schemas.events import ContactQueued, ContactStarted
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, SINK_GROUP
from streams.engine.app import SESSION_TIMEOUT_S
from streams.kafka.decoding import decode_either
from streams.kafka.schema_lookup import WAITING

pytestmark = pytest.mark.stack
STOP_S = 5.0
AT = 1_767_600_000_000
STARTED = ContactStarted(event_id="s", contact_id="c", occurred_at=AT, source="test", customer_key="k")
QUEUED = ContactQueued(event_id="q", contact_id="c", occurred_at=AT, source="test", queue="A")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


def learnt(url: str, *values: bytes) -> SchemaRegistry:
    """A registry as a reader knows it that was asked for what these values need."""
    registry = SchemaRegistry(url)
    for schema_id in schema_ids(values):
        registry.learn(schema_id)
    return registry


def test_round_trip(url: str) -> None:
    """Written by one process, read by another that knows only the registry; both formats side by side."""
    writing = SchemaRegistry(url)
    for event in (STARTED, QUEUED):
        data = encode_confluent(event, writing)
        with pytest.raises(NotLearnt):
            decode_confluent(data, SchemaRegistry(url))
        reading = learnt(url, data)
        assert data[0] == 0
        assert decode_confluent(data, reading) == event
        assert decode_either(reading)(data) == decode_either(reading)(encode(event)) == (event, encode(event))
    assert writing.id_of("contact_started") == SchemaRegistry(url).id_of("contact_started")


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x7f\xff\xff\xff rest", b"\x00\x00\x00"])
def test_what_the_registry_does_not_know(url: str, data: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        decode_confluent(data, learnt(url, data))
    assert error.value.reason in ("unknown_schema_id", "undecodable")


def test_a_foreign_schema_is_refused(url: str) -> None:
    schema = json.dumps({"type": "record", "name": "Invoice", "fields": [{"name": "n", "type": "int"}]})
    body = json.dumps({"schema": schema}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    answer = urllib3.request("POST", f"{url}/subjects/Invoice/versions", body=body, headers=headers)
    data = b"\x00" + int(answer.json()["id"]).to_bytes(4, "big") + b"\x02"
    with pytest.raises(DecodeError, match="no event of Ringback"):
        decode_confluent(data, learnt(url, data))


def registered(url: str, subject: str, schema: Any, **more: Any) -> int:
    """The id that the registry gives to somebody's schema."""
    body = json.dumps({"schema": json.dumps(schema)} | more).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    answer = urllib3.request("POST", f"{url}/subjects/{subject}/versions", body=body, headers=headers)
    assert answer.status == 200, answer.data
    return int(answer.json()["id"])


def test_schemas_of_others(url: str) -> None:
    """Case 52: logical types, another namespace, and a union that refers to its record."""
    schema = json.loads(json.dumps(raw_schema("contact_started"))) | {"namespace": "com.acme"}
    for field in schema["fields"]:
        if field["name"] == "occurred_at":
            field["type"] = {"type": "long", "logicalType": "timestamp-millis"}
    body = encode_body(STARTED)
    one = b"\0" + registered(url, "acme", schema).to_bytes(4, "big") + body
    assert decode_confluent(one, learnt(url, one)) == STARTED
    reference = {"name": "com.acme.ContactStarted", "subject": "acme", "version": 1}
    union = registered(url, "all", ["com.acme.ContactStarted"], references=[reference])
    other = b"\0" + union.to_bytes(4, "big") + b"\0" + body
    assert decode_confluent(other, learnt(url, other)) == STARTED
    wide = b"\0" + union.to_bytes(8, "big") + b"\0" + body
    assert decode_confluent(wide, learnt(url, wide)) == STARTED


def test_waits_for_a_registry_that_is_away(tmp_path: Path) -> None:
    """The first question is asked before the registry runs, and answered when it does."""
    port, found = free_port(), []
    late = SchemaRegistry(f"http://127.0.0.1:{port}/apis/ccompat/v7")
    asking = threading.Thread(target=lambda: found.append(late.id_of("contact_queued")), daemon=True)
    asking.start()
    time.sleep(0.5)
    assert not found
    with registry(tmp_path, port):
        asking.join(timeout=30)
    assert found


def test_end_to_end(url: str, stack: Stack) -> None:
    """Simulated contacts in Confluent wire format are stored and verified."""
    env = stack.env(SCHEMA_REGISTRY_URL=url)
    with background(env, "worker"), background(stack.env(SCHEMA_REGISTRY_URL=url), "sink"):
        sent = run_ringback(env, "simulate", "--contacts", "300", "--format", "json")
        assert sent.returncode == 0, sent.stderr
        checked = run_ringback(env, "verify", "--format", "json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    report = json.loads(checked.stdout)
    assert report["differences"] == []
    assert report["facts"]["contacts"] >= 300


async def test_a_registry_that_goes_away_while_events_come(url: str, stack: Stack) -> None:
    """Worker and sink know no schema yet: they wait longer than a session lasts, skip nothing, go on."""
    week, relay = Week(9), Relay(urlsplit(url).port or 0)
    away = f"http://127.0.0.1:{relay.port}{urlsplit(url).path}"
    with (
        background(stack.env(SCHEMA_REGISTRY_URL=away), "worker") as worker,
        background(stack.env(SCHEMA_REGISTRY_URL=away), "sink") as sink,
    ):
        relay.close()
        await week.send(stack, partial(encode_confluent, ids=SchemaRegistry(url)))
        for part in (worker, sink):
            wait_until(lambda part=part: WAITING in part.log(), f"{part.name} is silent")
        await asyncio.sleep(SESSION_TIMEOUT_S + 2)
        alive_and_waiting(worker, sink)
        assert await lag(stack, SINK_GROUP) >= len(week.events)
        relay.open()
        await week.check(stack)
        assert stack.value("SELECT count() FROM dead_letters") == 0
        for part in (worker, sink):
            assert part.process.alive()
            assert "Traceback" not in part.log()
            assert asked(part, "ready") == (200, "ready")
    relay.close()


def asked(part: Running, what: str) -> tuple[int, str]:
    """Status and text of /health or /ready."""
    port = int(part.process.command.env["RINGBACK_METRICS_PORT"]) + SINK_PORT_OFFSET * ("sink" in part.name)
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/{what}", timeout=3.0, retries=False)
    return answer.status, answer.data.decode().strip()


def alive_and_waiting(*parts: Running) -> None:
    """Their loops answer, they say what they wait for, and have kept their partitions."""
    for part in parts:
        assert asked(part, "health") == (200, "ok")
        assert asked(part, "ready") == (503, WAITING)
        assert part.log().count("partitions assigned") == 1
        assert "partitions revoked" not in part.log()


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses connections", "takes them, does not answer"])
async def test_worker_and_sink_can_be_stopped_while_they_wait(url: str, stack: Stack, hangs: bool) -> None:
    """SIGTERM ends both in time; those who come after them, with the registry, find every event."""
    week, relay = Week(11 + hangs), Relay(urlsplit(url).port or 0)
    away = f"http://127.0.0.1:{relay.port}{urlsplit(url).path}"
    relay.close()
    silent = closing(socket.create_server(("127.0.0.1", relay.port))) if hangs else nullcontext()
    with (
        silent,
        background(stack.env(SCHEMA_REGISTRY_URL=away), "worker") as worker,
        background(stack.env(SCHEMA_REGISTRY_URL=away), "sink") as sink,
    ):
        await week.send(stack, partial(encode_confluent, ids=SchemaRegistry(url)))
        for part in (worker, sink):
            wait_until(lambda part=part: WAITING in part.log(), f"{part.name} is silent")
        alive_and_waiting(worker, sink)
        for part in (worker, sink):
            began = time.monotonic()
            part.process.stop()
            took = time.monotonic() - began
            assert (part.process.returncode, took < STOP_S) == (0, True), f"{part.name}: {took:.1f} s"
            assert "Traceback" not in part.log()
        assert await lag(stack, SINK_GROUP) >= len(week.events)
    known = stack.env(SCHEMA_REGISTRY_URL=url)
    with background(known, "worker"), background(known, "sink"):
        await week.check(stack)
        assert stack.value("SELECT count() FROM dead_letters") == 0


async def test_partitions_move_while_their_worker_waits(url: str, stack: Stack) -> None:
    """A second worker need not wait for the first; what that one held is applied once it can be read."""
    week, relay = Week(13), Relay(urlsplit(url).port or 0)
    env = {"SCHEMA_REGISTRY_URL": f"http://127.0.0.1:{relay.port}{urlsplit(url).path}"}
    with background(stack.env(**env), "worker") as first, background(stack.env(**env), "sink"):
        relay.close()
        await week.send(stack, partial(encode_confluent, ids=SchemaRegistry(url)))
        wait_until(lambda: WAITING in first.log(), "the worker is silent")
        with background(stack.env(**env), "worker", limit_s=20) as second:
            wait_until(lambda: WAITING in second.log(), "the second worker has nothing to wait for")
            relay.open()
            await week.check(stack)
        assert "worker stops" not in first.log() + second.log()
    relay.close()


async def test_an_id_that_does_not_exist_is_a_dead_letter(url: str, stack: Stack) -> None:
    """Also of agent-events; what comes behind it is applied."""
    env, bad = stack.env(SCHEMA_REGISTRY_URL=url), b"\x00\x7f\xff\xff\xff rest"
    with background(env, "worker"), background(env, "sink"):
        async with EventSender(
            stack.bootstrap_servers, encode=partial(encode_confluent, ids=SchemaRegistry(url))
        ) as sender:
            for topic in (CONTACT_EVENTS, AGENT_EVENTS):
                await sender.send_record(OutgoingRecord(topic, b"c", bad))
            await sender.send(STARTED)
        await stored(stack)
        reasons = stack.rows("SELECT reason, count() FROM dead_letters GROUP BY reason")
        assert reasons == [("unknown_schema_id", 2)]
        assert stack.value("SELECT count() FROM events WHERE contact_id = 'c'") == 1
        agrees(stack)
