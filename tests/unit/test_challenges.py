"""Challenges of systems before they post, limits of one source, addresses behind a proxy. Without Kafka."""

import asyncio
import hashlib
import hmac
import time
from contextlib import ExitStack

import orjson
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request
from support.gateway import client_of, config_of

from gateway.challenges import after_signature
from gateway.limits import Limits
from gateway.problems import Problem
from gateway.proxies import address_of, networks
from gateway.requests import Turns

NOBODY = "127.0.0.1:9"  # nothing listens there
SECRET = b"secret-of-the-vendor"
SECRETS = dict.fromkeys(("zoom", "whatsapp", "ringcentral", "zendesk"), (b"old-secret-of-it", SECRET))


async def asked(method: str, path: str, **given: object) -> tuple[int, dict[str, str], bytes]:
    async with client_of(config_of(NOBODY, secrets=SECRETS)) as (_, session):
        return await ask(session, method, path, **given)


async def ask(
    session: ClientSession, method: str, path: str, **given: object
) -> tuple[int, dict[str, str], bytes]:
    async with session.request(method, f"/v1/sources/{path}", **given) as answer:  # type: ignore[arg-type]
        return answer.status, dict(answer.headers), await answer.read()


def zoom_headers(body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    now = str(int(time.time()))
    made = hmac.new(secret, f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-zm-request-timestamp": now, "x-zm-signature": f"v0={made}"}


async def test_zoom_asks_for_a_token() -> None:
    body = (
        b'{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'
    )
    status, headers, said = await asked("POST", "zoom", data=body, headers=zoom_headers(body))
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    made = hmac.new(b"old-secret-of-it", b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert orjson.loads(said) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": made}
    status, _, said = await asked("POST", "zoom", data=body, headers=zoom_headers(body, b"another"))
    assert (status, orjson.loads(said)["code"]) == (401, "wrong_signature")


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"endpoint.url_validation","payload":[]}',
        b'{"event":"endpoint.url_validation"',
        b'{"event":"other","payload":{"plainToken":"endpoint.url_validation"}}',
        b'{"event":"endpoint.url_validation","payload":{"plainToken":7}}',
        b'["endpoint.url_validation"]',
    ],
)
def test_what_is_no_question_is_a_payload_as_any_other(body: bytes) -> None:
    assert after_signature("zoom", body, SECRET) is None


META = {"hub.mode": "subscribe", "hub.verify_token": SECRET.decode(), "hub.challenge": "1158201444"}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, 200, "1158201444"),
        ({"hub.verify_token": "another"}, 401, "wrong_token"),
        ({"hub.verify_token": "é"}, 401, "wrong_token"),
        ({"hub.mode": "unsubscribe"}, 422, "no_challenge"),
        ({"hub.challenge": "<script>alert(1)</script> "}, 422, "no_challenge"),
        ({"hub.challenge": "9" * 600}, 422, "no_challenge"),
    ],
)
async def test_meta_asks_by_get(changed: dict[str, str], status: int, said: str) -> None:
    got, headers, body = await asked("GET", "whatsapp", params=META | changed)
    assert got == status
    assert said in body.decode()
    assert headers["Content-Type"].startswith("text/plain" if status == 200 else "application/problem+json")


async def test_ringcentral_asks_by_header() -> None:
    status, headers, _ = await asked("POST", "ringcentral", headers={"Validation-Token": "d9e5-42"})
    assert (status, headers["Validation-Token"]) == (200, "d9e5-42")
    status, headers, _ = await asked("POST", "ringcentral", headers={"Validation-Token": "a b"})
    assert status == 422
    status, _, _ = await asked("POST", "ringcentral", data=b"{}")
    assert status == 401
    # Of a source that asks otherwise, or not at all, the header means nothing.
    status, headers, _ = await asked("POST", "zendesk", headers={"Validation-Token": "d9e5-42"})
    assert status == 401
    assert "Validation-Token" not in headers


async def test_who_asks_nothing_by_get_is_told_so() -> None:
    for name in ("zendesk", "zoom"):
        status, headers, _ = await asked("GET", name)
        assert (status, headers["Allow"]) == (405, "POST")
    assert (await asked("GET", "front"))[0] == 405


def request_of(peer: str, **headers: str) -> web.Request:
    transport = type(
        "T",
        (),
        {"get_extra_info": lambda self, name, default=None: (peer, 1) if name == "peername" else None},
    )()
    return make_mocked_request("POST", "/v1/sources/hubspot?a=%20b", headers=headers, transport=transport)


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("10.0.0.5", {}, "http://inner:8087"),
        (
            "10.0.0.5",
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hooks.example"},
            "https://hooks.example",
        ),
        ("10.0.0.5", {"X-Forwarded-Proto": "http, https"}, "https://inner:8087"),
        (
            "10.2.0.5",
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hooks.example"},
            "http://inner:8087",
        ),
        ("fd00::5", {"X-Forwarded-Host": "evil, hooks.example"}, "http://hooks.example"),
    ],
)
def test_forwarded_headers_count_from_a_trusted_proxy_alone(
    peer: str, headers: dict[str, str], address: str
) -> None:
    trusted = networks(["10.0.0.0/24", "fd00::/8", ""])
    request = request_of(peer, Host="inner:8087", **headers)
    assert address_of(request, trusted) == f"{address}/v1/sources/hubspot?a=%20b"


@pytest.fixture
def turns() -> Turns:
    return Turns(Limits(requests_max=5, source_requests_max=3, rate_max=4))


def refused(turns: Turns, source: str) -> str:
    with pytest.raises(Problem) as problem, turns.turn(source):
        pass
    assert problem.value.retry_after_s
    return f"{problem.value.status} {problem.value.code}"


def test_one_source_cannot_keep_out_the_others(turns: Turns) -> None:
    with ExitStack() as open_:
        for _ in range(3):
            open_.enter_context(turns.turn("zoom"))
        assert refused(turns, "zoom") == "429 concurrency"
        for _ in range(2):
            open_.enter_context(turns.turn("front"))
        assert refused(turns, "front") == "503 concurrency"
    with turns.turn("zoom"):
        pass
    assert turns.open == 0


async def test_the_rate_is_one_source_s_and_one_second_s(turns: Turns) -> None:
    await asyncio.sleep(1.01 - time.monotonic() % 1)  # at the beginning of a second
    for _ in range(4):
        with turns.turn("zoom"):
            pass
    assert refused(turns, "zoom") == "429 rate"
    with turns.turn("front"):
        pass
    await asyncio.sleep(1.01 - time.monotonic() % 1)
    with turns.turn("zoom"):
        pass
