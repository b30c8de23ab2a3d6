"""Confluent wire format through a real schema registry."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3
from support.faults import Relay, Week
from support.numbers import lag
from support.registry import registry
from support.stack import Stack, background, run_ringback, wait_until

from adapters.schema_registry import SchemaRegistry
from deploy.local.ports import free_port
from schemas.codec import DecodeError, encode
from schemas.confluent import decode_confluent, encode_confluent
from schemas.events import ContactQueued, ContactStarted
from streams.app import SESSION_TIMEOUT_S
from streams.decoding import decode_either
from streams.sink import GROUP as SINK_GROUP

pytestmark = pytest.mark.stack
WAITING = "waiting for the schema registry"
AT = 1_767_600_000_000
STARTED = ContactStarted(event_id="s", contact_id="c", occurred_at=AT, source="test", customer_key="k")
QUEUED = ContactQueued(event_id="q", contact_id="c", occurred_at=AT, source="test", queue="A")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


def test_round_trip(url: str) -> None:
    """Written by one process, read by another that knows only the registry; both formats side by side."""
    writing, reading = SchemaRegistry(url), SchemaRegistry(url)
    for event in (STARTED, QUEUED):
        data = encode_confluent(event, writing)
        assert data[0] == 0
        assert decode_confluent(data, reading) == event
        assert decode_either(reading)(data) == decode_either(reading)(encode(event)) == (event, encode(event))
    assert writing.id_of("contact_started") == SchemaRegistry(url).id_of("contact_started")


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x7f\xff\xff\xff rest", b"\x00\x00\x00"])
def test_what_the_registry_does_not_know(url: str, data: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        decode_confluent(data, SchemaRegistry(url))
    assert error.value.reason in ("unknown_schema_id", "undecodable")


def test_a_foreign_schema_is_refused(url: str) -> None:
    schema = json.dumps({"type": "record", "name": "Invoice", "fields": [{"name": "n", "type": "int"}]})
    body = json.dumps({"schema": schema}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    answer = urllib3.request("POST", f"{url}/subjects/Invoice/versions", body=body, headers=headers)
    data = b"\x00" + int(answer.json()["id"]).to_bytes(4, "big") + b"\x02"
    with pytest.raises(DecodeError, match="no event of Ringback"):
        decode_confluent(data, SchemaRegistry(url))


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
        assert await lag(stack, SINK_GROUP) >= len(week.events)
        relay.open()
        await week.check(stack)
        assert stack.value("SELECT count() FROM dead_letters") == 0
        for part in (worker, sink):
            assert part.process.alive()
            assert "Traceback" not in part.log()
    relay.close()
