"""Signs of life of sources: who gives them, how often, and what the doctor says of a silent one."""

import asyncio
import hashlib
import hmac
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from support.gateway import client_of, config_of

from adapters.sending.following import Followed, Pulse, follow_until
from cli.doctor import ago, letters_seen, source_finding
from gateway.heartbeats import Heartbeats
from gateway.limits import DEFAULTS
from gateway.problems import Problem
from schemas.events import Event, SourceHeartbeat

NOBODY = "127.0.0.1:9"  # nothing listens there
SECRET = b"secret-of-the-vendor"


async def test_a_signed_request_is_a_sign_of_life_and_an_unsigned_one_is_none(tmp_path: Path) -> None:
    limits = replace(DEFAULTS, spool_after_s=0.2, acknowledged_limit_s=1.0)
    config = config_of(NOBODY, spool=tmp_path, limits=limits, secrets={"libredesk": (SECRET,)})
    body = orjson.dumps({"event": "agent.sneezed", "timestamp": "2026-01-05T08:00:00Z", "payload": {}})
    async with client_of(config) as (gateway, session):
        for made, status in ((b"another", 401), (SECRET, 202)):
            sent = {"X-Libredesk-Signature": "sha256=" + hmac.new(made, body, hashlib.sha256).hexdigest()}
            async with session.post("/v1/sources/libredesk", data=body, headers=sent) as answer:
                assert answer.status == status, await answer.text()
            beats = gateway.heartbeats.due()
            assert [beat.source for beat in beats] == (["libredesk"] if status == 202 else [])
        assert abs(beats[0].occurred_at / 1000 - time.time()) < 60
        assert gateway.heartbeats.due() == []  # told once, until it is heard again


async def test_what_cannot_be_written_ends_nothing() -> None:
    heartbeats, told = Heartbeats(), list[Event]()

    async def write(source: str, events: list[Event]) -> None:
        told.extend(events)
        if len(told) == 1:
            raise Problem(503, "kafka", "away")

    telling = asyncio.create_task(heartbeats.tell(write, 0.01))  # type: ignore[arg-type]
    for count in (1, 2):
        heartbeats.heard("zoom")
        while len(told) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.005)
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    assert {event.source for event in told} == {"zoom"}


class Quiet:
    """A log in which nothing is written, and a sender that keeps what it gets."""

    gaps, away = 0, False

    def __init__(self) -> None:
        self.sent: list[Event] = []

    def poll(self) -> list[object]:
        return []

    async def send(self, event: Event) -> None:
        self.sent.append(event)

    async def flush(self) -> dict[object, int]:
        return {}


async def test_a_quiet_log_that_is_followed_gives_signs_of_life_now_and_then() -> None:
    quiet, stop = Quiet(), asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)
    pulse = Pulse("asterisk", every_s=0.2)
    await follow_until(stop, quiet, quiet, Followed(), 0.02, pulse)  # type: ignore[arg-type]
    assert 2 <= len(quiet.sent) <= 4
    assert all(isinstance(event, SourceHeartbeat) and event.source == "asterisk" for event in quiet.sent)
    assert len({event.event_id for event in quiet.sent}) == len(quiet.sent)


async def test_a_log_that_cannot_be_read_gives_no_sign_of_life() -> None:
    """Its database is away: nobody knows whether it has told everything."""
    quiet, stop, followed = Quiet(), asyncio.Event(), Followed(connected=True)
    quiet.away = True
    asyncio.get_running_loop().call_later(0.1, stop.set)
    await follow_until(stop, quiet, quiet, followed, 0.02, Pulse("asterisk"))  # type: ignore[arg-type]
    assert (quiet.sent, followed.connected, followed.heard_s) == ([], False, 0.0)


@pytest.mark.parametrize(
    ("beats", "live", "silent_s", "well", "seen"),
    [
        (True, True, 20, True, "last sign of life 20 s ago"),
        (True, True, 700, False, "last sign of life 11 min 40 s ago"),
        (
            True,
            False,
            90_000,
            True,
            "last sign of life 1 d 1 h ago, by its own clock; it was told long after",
        ),
        (False, False, 90_000, True, "last event 1 d 1 h ago"),
    ],
)
def test_the_doctor_misses_a_source_that_gave_signs_of_life(
    beats: bool, live: bool, silent_s: int, well: bool, seen: str
) -> None:
    finding = source_finding("zoom", beats, live, silent_s, 0)
    assert finding.well is well
    assert finding.seen.startswith(seen)
    assert ago(0) == "0 s"


def test_the_doctor_tells_of_lines_that_were_lost() -> None:
    seen = source_finding("asterisk", True, True, 20, 2).seen
    assert seen.endswith("; lost lines 2 times, as the dead letters lines_lost say")


def test_the_doctor_says_why_letters_are_open() -> None:
    assert letters_seen([]) == "0"
    assert letters_seen([("bad_time", 1_200), ("lines_lost", 1)]) == "1,201: 1,200 bad_time, 1 lines_lost"
    assert letters_seen([(reason, 1) for reason in "abcdef"]) == "6: 1 a, 1 b, 1 c, 1 d, 1 e, ..."
