"""Schemas are fetched before a batch is decoded, and whoever waits for the registry can be stopped."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import stamina
from structlog.testing import capture_logs

from adapters.sending import schema_registry
from adapters.sending.schema_registry import NotLearnt, SchemaRegistry
from schemas.avro_schemas import current, raw_schema
from schemas.codec import DecodeError, encode
from schemas.confluent import HEADER, RegistryRefused, RegistryUnreachable, schema_ids
from schemas.events import ContactQueued
from sinks.loop import unless
from streams.engine.app import decodable
from streams.health.health import READY, Health
from streams.kafka.schema_lookup import WAITING, SchemaLookup

EVENT = encode(
    ContactQueued(event_id="q", contact_id="c", occurred_at=1_767_600_000_000, source="t", queue="A")
)
OURS, ABSENT, FOREIGN, NO_AVRO, FORBIDDEN = range(1, 6)
SCHEMAS = {
    OURS: schema_registry.json.dumps(raw_schema("contact_queued")),
    FOREIGN: '{"type": "record", "name": "Invoice", "fields": []}',
    NO_AVRO: 'syntax = "proto3";',
}


class Server(SchemaRegistry):
    """A registry that is away for some requests, and notes which come."""

    def __init__(self, away: int = 0) -> None:
        super().__init__("http://user:secret@registry:8081")
        self.away, self.asked = away, list[int]()

    def _ask(self, method: str, path: str, document: Any) -> dict[str, Any]:
        schema_id = int(path.rpartition("/")[2])
        self.asked.append(schema_id)
        if len(self.asked) <= self.away:
            raise RegistryUnreachable("planted")
        if schema_id == FORBIDDEN:
            raise RegistryRefused("planted")
        if schema_id not in SCHEMAS:
            raise schema_registry.NoSuchSchema("planted")
        return {"schema": SCHEMAS[schema_id]}


class Consumer:
    """As much of streams.engine.batching's consumer as is asked of a batch."""

    def __init__(self) -> None:
        self.flow_active, self.asked = True, list[str]()

    def release(self, message: Any) -> None:
        self.asked.append("release")

    def hold(self, message: Any) -> None:
        self.asked.append("hold")


@pytest.fixture(autouse=True)
def impatient() -> Any:
    with stamina.set_testing(True, attempts=1_000):
        yield


def ready() -> Health:
    health = Health("worker")
    health.become(READY)
    return health


def framed(*ids: int) -> list[bytes]:
    return [HEADER.pack(0, schema_id) + b"body" for schema_id in ids]


def test_only_confluent_values_need_a_schema() -> None:
    assert schema_ids([None, b"", b"\x00", b"\x00\x00\x00\x07", EVENT, b"rubbish"]) == set()
    assert schema_ids([*framed(7, 9, 7), EVENT, b"\x00\xff\xff\xff\xff"]) == {7, 9, 2**32 - 1}


async def test_what_is_known_is_not_asked_for_again() -> None:
    """What does not exist is: a registry may be behind who registered, or be filled later."""
    server = Server()
    lookup = SchemaLookup(server, ready().waiting)
    values = [*framed(OURS, ABSENT, FOREIGN, NO_AVRO, OURS), EVENT]
    for _ in range(2):
        await lookup.fetch(lookup.missing(values))
    assert server.asked == [OURS, ABSENT, FOREIGN, NO_AVRO, ABSENT]
    assert server.writer(OURS).parsed == current()["contact_queued"]
    for schema_id, why in ((ABSENT, "has no schema 2"), (FOREIGN, "no event"), (NO_AVRO, "no Avro")):
        with pytest.raises(DecodeError, match=why) as error:
            server.writer(schema_id)
        assert error.value.reason == "unknown_schema_id"
        assert "secret" not in error.value.detail


def test_what_was_not_asked_for_is_no_dead_letter() -> None:
    with pytest.raises(NotLearnt):
        Server().writer(OURS)


def test_absent_ids_are_not_remembered_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_registry, "ABSENT_MAX", 2)
    server = Server()
    for schema_id in (100, 101, 100, 102):
        server.learn(schema_id)
    for schema_id, raised in ((100, DecodeError), (101, NotLearnt), (102, DecodeError)):
        with pytest.raises(raised):
            server.writer(schema_id)


async def test_without_a_registry_nothing_is_looked_at() -> None:
    lookup = SchemaLookup(None, ready().waiting)
    assert lookup.missing(iter(framed(OURS))) == set()
    await lookup.fetch({OURS})


async def test_who_waits_says_so_once_and_is_not_ready() -> None:
    health, server = ready(), Server(away=3)
    seen: list[str | None] = []
    plain = server._ask

    def watched(*question: Any) -> dict[str, Any]:
        seen.append(health.not_ready())
        return plain(*question)

    server._ask = watched  # type: ignore[method-assign]
    with capture_logs() as logs:
        await SchemaLookup(server, health.waiting).fetch({OURS})
    logs = [line for line in logs if not line["event"].startswith("stamina")]  # silenced by cli.console
    assert [line["event"] for line in logs] == [WAITING, "the schema registry answers"]
    assert logs[0]["url"] == "http://registry:8081"
    assert seen == [None, WAITING, WAITING, WAITING]
    assert health.not_ready() is None
    assert health.metrics.registry.get_sample_value("ringback_ready") == 1


async def test_what_waiting_does_not_mend_is_raised() -> None:
    with pytest.raises(RegistryRefused):
        await SchemaLookup(Server(), ready().waiting).fetch({FORBIDDEN})


async def test_who_is_stopped_waits_no_longer() -> None:
    health = ready()
    lookup, stop = SchemaLookup(Server(away=10**9), health.waiting), asyncio.Event()
    waiting = asyncio.create_task(unless(stop, lookup.fetch({OURS})))
    while not health.waits:  # noqa: ASYNC110 -- it has no event
        await asyncio.sleep(0)
    stop.set()
    assert not await waiting
    await asyncio.sleep(0)
    assert health.not_ready() is None


async def test_what_ends_before_the_stop_has_ended() -> None:
    assert await unless(asyncio.Event(), SchemaLookup(Server(), ready().waiting).fetch({OURS}))
    with pytest.raises(RegistryRefused):
        await unless(asyncio.Event(), SchemaLookup(Server(), ready().waiting).fetch({FORBIDDEN}))


@pytest.mark.parametrize(
    ("known", "moved", "decodes", "asked"),
    [
        pytest.param(True, False, True, [], id="nothing to ask"),
        pytest.param(False, False, True, ["release", "hold"], id="asked"),
        pytest.param(False, True, False, ["release"], id="partitions moved meanwhile"),
    ],
)
async def test_no_batch_that_waits_is_waited_for(
    known: bool, moved: bool, decodes: bool, asked: list[str]
) -> None:
    """Faust would let no partition move, and no worker stop, before an event is acknowledged."""
    server, consumer = Server(), Consumer()
    if known:
        server.learn(OURS)
    consumer.flow_active = not moved
    message = SimpleNamespace(value=[SimpleNamespace(value=value) for value in framed(OURS)])
    assert await decodable(consumer, message, SchemaLookup(server, ready().waiting)) is decodes
    assert consumer.asked == asked
