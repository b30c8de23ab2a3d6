"""Contacts that producers have split (case 53), on a real Kafka: refused, found, named and healed."""

import json

import pytest
from confluent_kafka import Producer
from support.faults import agrees
from support.numbers import stored
from support.stack import Stack, background, run_ringback

from adapters.sending.producer import EventSender
from schemas.codec import encode
from schemas.events import ContactAnswered, ContactEvent, ContactQueued, ContactResolved, ContactStarted
from schemas.time_units import DAY_MS
from schemas.topics import CONTACT_EVENTS

pytestmark = pytest.mark.stack
AT = 1_769_000_000_000
EIGHT = range(8)


def call(contact_id: str, queue: str, at: int = AT) -> list[ContactEvent]:
    """A call of 60 s after a wait of 10."""

    def base(name: str, after_ms: int) -> dict[str, object]:
        return {"event_id": name, "contact_id": contact_id, "occurred_at": at + after_ms, "source": "t3"}

    return [
        ContactStarted.model_validate(base("started", 0)),
        ContactQueued.model_validate(base("queued", 0) | {"queue": queue}),
        ContactAnswered.model_validate(base("answered", 10_000) | {"agent": "z"}),
        ContactResolved.model_validate(base("resolved", 70_000) | {"outcome": "resolved"}),
    ]


async def send(stack: Stack, events: list[ContactEvent]) -> None:
    """As every producer should."""
    async with EventSender(stack.bootstrap_servers) as sender:
        for event in events:
            await sender.send(event)


def send_as_librdkafka_does(stack: Stack, events: list[ContactEvent]) -> None:
    """As confluent-kafka does unless it is told otherwise."""
    producer = Producer({"bootstrap.servers": stack.bootstrap_servers})
    for event in events:
        producer.produce(CONTACT_EVENTS, encode(event), event.contact_id.encode())
    producer.flush(30)


def kpis(env: dict[str, str], begin: str = "2026-01-21", end: str = "2026-01-22") -> dict[str, float]:
    """Answered calls and their handle time on a day, from the stream's tables."""
    asked = ("--from", begin, "--to", end, "--kpi", "answered,aht", "--format", "json")
    (row,) = json.loads(run_ringback(env, "kpi", *asked).stdout)
    return {name: found["value"] for name, found in row["kpis"].items()}


async def test_split_contacts(stack: Stack) -> None:
    env = stack.env(RINGBACK_DEAD_LETTER_MAX_SHARE="1")
    split = [event for n in EIGHT for event in call(f"pa-{n}", "px")]
    whole = [event for n in EIGHT for event in call(f"pb-{n}", "py")]
    with background(env, "worker"), background(env, "sink"):
        await send(stack, [event for event in split if event.event_id in ("started", "queued")])
        late = [event for event in split if event.event_id not in ("started", "queued")]
        send_as_librdkafka_does(stack, [*late, *whole])
        await stored(stack)

        refused = stack.rows("SELECT DISTINCT reason FROM dead_letters")
        assert refused == [("wrong_partition",)]
        detail = str(stack.value("SELECT any(detail) FROM dead_letters"))
        assert "t3 wrote to partition" in detail
        assert "ringback heal" in detail
        found = run_ringback(env, "doctor", "--format", "json").stdout
        assert "contacts, from t3, all where librdkafka puts them by default" in found
        checked = run_ringback(env, "verify", "--format", "json")
        assert checked.returncode == 1
        (cause,) = json.loads(checked.stdout)["causes"]
        assert "ringback heal" in cause

        wrong = int(stack.value("SELECT count() FROM dead_letters"))
        dry = json.loads(run_ringback(env, "heal", "--dry-run", "--format", "json").stdout)
        assert (dry["records"], dry["wrong"]) == (64, wrong)
        healed = run_ringback(env, "heal", "--format", "json")
        assert json.loads(healed.stdout)["wrong"] == wrong, healed.stderr
        assert json.loads(healed.stdout)["epoch"] is None
        assert json.loads(healed.stdout)["closed"] == wrong
        assert "wrong_partition" not in run_ringback(env, "doctor", "--format", "json").stdout
        agrees(stack)
        assert kpis(env) == {"answered": 16, "aht": 60_000}
        again = json.loads(run_ringback(env, "heal", "--format", "json").stdout)
        assert (again["wrong"], again["closed"]) == (0, 0)


async def test_what_was_counted_before_it_was_looked_at(stack: Stack) -> None:
    """Counted in two halves by a worker that does not look, as those of before version 2."""
    split = [event for n in EIGHT for event in call(f"pc-{n}", "px", AT + DAY_MS)]
    env, before = stack.env(), stack.env(RINGBACK_PARTITIONER="any")
    with background(before, "worker"), background(before, "sink"):
        await send(stack, split[::2])
        send_as_librdkafka_does(stack, split[1::2])
        await stored(stack)
        assert run_ringback(before, "doctor", "--format", "json").stdout.count("in several partitions") == 1
        assert run_ringback(before, "heal").returncode == 2
    with background(env, "sink"):
        with background(env, "worker"):
            healed = run_ringback(env, "heal", "--format", "json")
            epoch = json.loads(healed.stdout)["epoch"]
            assert epoch == 1, healed.stderr
        with background(stack.env(RINGBACK_EPOCH=str(epoch)), "worker"):
            await stored(stack)
            checked = run_ringback(env, "verify")
            assert checked.returncode == 0, checked.stdout
    assert kpis(env, "2026-01-22", "2026-01-23") == {"answered": 8, "aht": 60_000}
