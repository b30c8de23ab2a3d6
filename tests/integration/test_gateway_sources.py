"""Webhooks of a source through the gateway on a real Kafka: real signed bytes, and what must be refused."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientSession
from prometheus_client import generate_latest
from support.gateway import TOPICS, client_of, config_of, events_stored, stored
from support.stack import Stack

from schemas.topics import DEAD_LETTERS
from streams.kafka.topics import ensure_topics

pytestmark = pytest.mark.stack
SECRET = b"webhook-secret-1"
PATH = "/v1/sources/libredesk"
RECORDED = Path(__file__).parents[1] / "data" / "libredesk_signed.jsonl"
CUSTOMER = "asha@example.test"


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def created(inner: dict[str, object]) -> bytes:
    return orjson.dumps({"event": "conversation.created", "payload": inner})


async def post(session: ClientSession, body: bytes, sent: str | None) -> tuple[int, dict[str, object]]:
    headers = {} if sent is None else {"X-Libredesk-Signature": sent}
    async with session.post(PATH, data=body, headers=headers) as answer:
        return answer.status, orjson.loads(await answer.read())


async def test_what_libredesk_really_sent_is_in_kafka(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    records = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
    config = config_of(stack.bootstrap_servers, secrets={"libredesk": (b"the-new-one", SECRET)})
    async with client_of(config) as (gateway, session):
        answers = [
            await post(session, base64.b64decode(record["body_b64"]), record["signature"])
            for record in records * 2
        ]
        metrics = generate_latest(gateway.metrics.registry).decode()
    assert {status for status, _ in answers} == {202}
    stored_now = await events_stored(stack.bootstrap_servers)
    events = [event for event in stored_now if event.source == "libredesk"]
    assert len(events) == sum(said["accepted"] for _, said in answers)
    assert len({event.event_id for event in events}) * 2 == len(events)
    assert {event.type for event in events} >= {"contact_started", "contact_queued", "contact_replied"}
    assert "cust0" not in "".join(event.model_dump_json() for event in events)
    assert 'ringback_gateway_ignored_total{reason="not_to_customer",source="libredesk"}' in metrics


async def test_what_is_not_signed_is_refused_and_leaves_nothing(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    before = len(await stored(stack.bootstrap_servers, DEAD_LETTERS, *TOPICS))
    body = base64.b64decode(json.loads(RECORDED.read_text("utf-8").splitlines()[0])["body_b64"])
    good = signature(body)
    cases = [
        (body, None, "no_signature"),
        (body, signature(body, b"another-secret"), "wrong_signature"),
        (body, good.replace("sha256=", "sha1="), "wrong_signature"),
        (body, good[:-1], "wrong_signature"),
        (body + b" ", good, "wrong_signature"),
        (bytes([body[0] ^ 1]) + body[1:], good, "wrong_signature"),
        (b"\xff", good, "wrong_signature"),
        (body, "sha256=\xe9", "wrong_signature"),
    ]
    config = config_of(stack.bootstrap_servers, secrets={"libredesk": (SECRET,)})
    async with client_of(config) as (_, session):
        for sent, header, code in cases:
            status, said = await post(session, sent, header)
            assert (status, said["code"]) == (401, code)
    assert len(await stored(stack.bootstrap_servers, DEAD_LETTERS, *TOPICS)) == before


async def test_what_is_signed_and_no_event_is_a_dead_letter_without_a_person(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, 4, 1)
    before = len(await stored(stack.bootstrap_servers, *TOPICS))
    person = {"id": 9, "email": CUSTOMER}
    inner = {"uuid": "u", "created_at": "2026-01-05T08:00:00Z", "contact": person}
    cases: list[tuple[bytes, int, str]] = [
        (b'{"email":"asha@example.test', 422, "invalid_json"),
        (b"asha@example.test \xff", 422, "invalid_utf8"),
        (b'["asha@example.test"]', 422, "not_an_object"),
        (b"[" * 5_000, 422, "invalid_json"),
        (orjson.dumps({"event": "other", "payload": person}), 202, "wrong_shape"),
        (
            orjson.dumps({"event": "conversation.created", "payload": inner | {"created_at": CUSTOMER}}),
            202,
            "bad_time",
        ),
        (
            orjson.dumps({"event": "conversation.created", "payload": inner | {"uuid": None}}),
            202,
            "missing_field",
        ),
    ]
    config = config_of(stack.bootstrap_servers, secrets={"libredesk": (SECRET,)})
    async with client_of(config) as (_, session):
        for body, status, _ in cases:
            got, said = await post(session, body, signature(body))
            assert (got, CUSTOMER in str(said)) == (status, False), said
        kind = orjson.dumps({"event": "conversation.exploded", "payload": {}})
        assert await post(session, kind, signature(kind)) == (
            202,
            {"accepted": 0, "ignored": 1, "refused": 0},
        )
    letters = [json.loads(value) for value in await stored(stack.bootstrap_servers, DEAD_LETTERS)]
    assert sorted(letter["reason"] for letter in letters) == sorted(code for _, _, code in cases)
    assert {letter["origin"] for letter in letters} == {"gateway/libredesk"}
    payloads = [base64.b64decode(letter["payload"]) for letter in letters]
    assert CUSTOMER not in f"{letters} {payloads}"
    assert len(await stored(stack.bootstrap_servers, *TOPICS)) == before


async def test_a_source_without_a_secret_is_not_served(stack: Stack) -> None:
    async with client_of(config_of(stack.bootstrap_servers)) as (_, session):
        status, said = await post(session, b"{}", signature(b"{}"))
        assert (status, said["code"]) == (404, "no_secret")
        assert "RINGBACK_SECRET_LIBREDESK" in str(said["detail"])
