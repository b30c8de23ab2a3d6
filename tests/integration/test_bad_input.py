"""Input that is no event, through the real topic and from files: named, kept, and never in the way."""

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import fastavro
import pytest
from aiokafka import AIOKafkaProducer
from support.bank_file import bank_bytes
from support.notation import read_events
from support.numbers import answer, ended, json_lines, lag, stored, verified, windows
from support.stack import Running, Stack, background, wait_until

from adapters.sending.records import event_record
from schemas.avro_schemas import current, current_fingerprints
from schemas.codec import HEADER_BYTES, MARKER, encode
from schemas.dead_letter import kept_record
from schemas.events import AgentStateChanged, ContactEvent
from schemas.placement import partition_of
from schemas.topics import CONTACT_EVENTS, WORKER_GROUP
from streams.kafka.topics import wait_for_topics

CALL = "s, q@10(A), a@25, h@60, r@90, res@325, w@340"
PARTITION = 1
YEAR_1_MS, YEAR_9999_MS = -62_135_596_800_000, 253_402_300_799_000
STARTED, QUEUED, RESOLVED = "contact_started", "contact_queued", "contact_resolved"
Raw = tuple[bytes | None, bytes | None]  # key, value


def calls(name: str, number: int) -> list[ContactEvent]:
    """The same call so many times, each a contact of its own."""
    found = []
    for index in range(number):
        contact = f"{name}-{index}"
        events = read_events(CALL, contact_id=contact)
        found += [event.model_copy(update={"event_id": f"{contact}-{event.event_id}"}) for event in events]
    return found


def raw(type_: str, **fields: object) -> Raw:
    """A record whose body is good Avro, written without our model, and whose content need not be."""
    known = {event.type: event for event in read_events(CALL, contact_id="bad")}[type_].__dict__
    body = BytesIO()
    fastavro.schemaless_writer(body, current()[type_], known | fields)
    return b"bad", MARKER + current_fingerprints()[type_] + body.getvalue()


def bad_records() -> list[tuple[str, Raw]]:
    """(reason, record) of everything that can be wrong with one."""
    good = encode(read_events(CALL, contact_id="bad")[0])
    agent = AgentStateChanged(
        event_id="1", agent="ann", occurred_at=1_767_571_200_000, state="available", source="x"
    )
    return [
        ("undecodable", (b"bad", good[:-3])),
        ("undecodable", (b"bad", good[:HEADER_BYTES])),
        ("undecodable", (b"bad", good + b"\x00")),
        ("unknown_fingerprint", (b"bad", MARKER + b"\xff" * 8 + good[HEADER_BYTES:])),
        ("not_single_object", (b"bad", b"\x00\x01" + good[2:])),
        ("not_single_object", (b"bad", b'{"type": "contact_started"}')),
        ("not_single_object", (b"bad", b"")),
        ("wrong_key", (b"another", good)),
        ("wrong_key", (None, good)),
        # Under a key of another partition it would say that `ringback heal` has been there.
        ("empty", (next(k for k in (b"%d" % n for n in range(99)) if partition_of(k, 4) == PARTITION), None)),
        ("wrong_topic", (b"ann", encode(agent))),
        ("too_large", (b"bad", good + b"\x00" * 1_000_000)),
        ("invalid_event", raw(STARTED, occurred_at=YEAR_1_MS)),
        ("invalid_event", raw(STARTED, occurred_at=YEAR_9999_MS)),
        ("invalid_event", raw(RESOLVED, talk_ms=-1)),
        ("invalid_event", raw(QUEUED, leg=0)),
        ("invalid_event", raw(QUEUED, queue="")),
    ]


async def produce(stack: Stack, records: Sequence[tuple[Raw, int | None]]) -> list[tuple[int, int]]:
    """Write records as they are, to a partition or by their key; (partition, offset) of each."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, max_request_size=4_000_000)
    await producer.start()
    try:
        sent = [await producer.send(CONTACT_EVENTS, v, k, partition=p) for (k, v), p in records]
        return [(one.partition, one.offset) for one in await asyncio.gather(*sent)]
    finally:
        await producer.stop()


def good_records(events: Sequence[ContactEvent]) -> list[tuple[Raw, int | None]]:
    """Events as they ought to be written."""
    records = [event_record(event, encode) for event in events]
    return [((record.key, record.value), None) for record in records]


def answered(stack: Stack) -> int:
    return sum(row.get("answered", 0) for row in windows(stack).values())


@pytest.fixture
def env(stack: Stack) -> Iterator[dict[str, str]]:
    """Settings of the commands, with a worker and a sink at work."""
    with background(stack.env(), "worker") as worker, background(stack.env(), "sink") as sink:
        yield stack.env()
        assert worker.process.alive(), worker.log()
        assert "Traceback" not in worker.log() + sink.log()


async def test_bad_records_are_dead_letters_and_good_ones_around_them_count(
    stack: Stack, env: dict[str, str]
) -> None:
    bad, good = bad_records(), good_records(calls("around", 40))
    step = len(good) // len(bad)
    mixed: list[tuple[Raw, int | None]] = []
    for index, (_, record) in enumerate(bad):
        mixed += [*good[index * step : (index + 1) * step], (record, PARTITION)]
    where = await produce(stack, mixed + good[len(bad) * step :])
    await stored(stack)
    offsets = [
        offset for at, (_, offset) in enumerate(where) if at < len(mixed) and (at + 1) % (step + 1) == 0
    ]
    expected = [
        (f"{CONTACT_EVENTS}[{PARTITION}]", offset, reason, kept_record(reason, value or b""))
        for offset, (reason, (_, value)) in zip(offsets, bad, strict=True)
    ]
    listed = answer(env, "dead-letters", "list")
    found = [(d["origin"], d["position"], d["reason"], base64.b64decode(d["payload"])) for d in listed]
    assert sorted(found) == sorted(expected)
    assert all(letter["detail"] for letter in listed)
    assert answered(stack) == 40
    assert verified(env)["facts"]["contacts"] == 40
    replayed = ended(env, 0, "dead-letters", "replay", "--reason", "unknown_fingerprint")
    assert "1 records still cannot be read: they stay open" in replayed.stderr
    assert len(answer(env, "dead-letters", "list", "--reason", "unknown_fingerprint")) == 1


async def test_too_much_bad_input_stops_the_worker_and_nothing_is_lost(stack: Stack) -> None:
    """A wrong schema must not empty a topic into the dead letters."""
    before, letters = answered(stack), stack.value("SELECT uniqExact(origin, position) FROM dead_letters")
    wrong: Raw = (b"bad", MARKER + b"\xee" * 8 + b"\x00" * 20)
    good = good_records(calls("among", 100))
    records = [*((wrong, number % 4) for number in range(8_000)), *good]
    with background(stack.env(), "sink"):
        with background(stack.env(), "worker") as worker:
            await produce(stack, records)
            wait_until(lambda: not worker.process.alive(), "the worker goes on")
            assert worker.process.returncode != 0
            assert "are no events" in worker.log()
            assert "RINGBACK_DEAD_LETTER_MAX_SHARE" in worker.log()
            assert "unknown_fingerprint" in worker.log()
        assert await lag(stack, WORKER_GROUP) > 0
        with background(stack.env(RINGBACK_DEAD_LETTER_MAX_SHARE="1"), "worker"):
            await stored(stack)
    assert answered(stack) == before + 100
    assert stack.value("SELECT uniqExact(origin, position) FROM dead_letters") == letters + 8_000


def bad_lines() -> list[tuple[bytes, str]]:
    """(line, reason) of what JSON lines can be besides events."""
    good = json.loads(json_lines(read_events(CALL, contact_id="line")[:1]))
    return [
        (b'{"type": "contact_started", "source": "' + b"x" * 20_000_000 + b'"}', "too_large"),
        (b'{"type": "contact_started", "source": "\xff\xfe"}', "invalid_utf8"),
        (b'{"type": "contact_started"', "invalid_json"),
        (b"[1, 2]", "not_an_object"),
        (b'{"contact_id": "x"}', "missing_type"),
        (b'{"type": "call_ended"}', "unknown_type"),
        (json.dumps(good | {"leg": "1"}).encode(), "invalid_event"),
        (json.dumps(good | {"occurred_at": True}).encode(), "bad_time"),
        (json.dumps({"type": STARTED, "contact_id": "x"}).encode(), "invalid_event"),
        (json.dumps(good | {"surprise": 1}).encode(), "invalid_event"),
    ]


async def test_bad_lines_of_a_file(stack: Stack, env: dict[str, str], tmp_path: Path) -> None:
    before, events, bad = answered(stack), calls("line", 20), bad_lines()
    lines = json_lines(events).splitlines()
    step = len(lines) // len(bad)
    for index, (line, _) in reversed(list(enumerate(bad))):
        lines.insert(index * step, line)
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(b"\n".join(lines))
    done = ended(env, 0, "import", "events", str(path), "--format", "json")
    assert "dead-letters list" in done.stderr
    counts = json.loads(done.stdout)
    assert (counts["sent"], counts["dead_letters"], counts["contacts"]) == (len(events), len(bad), 20)
    listed = [letter for letter in answer(env, "dead-letters", "list") if letter["origin"] == "mixed.jsonl"]
    expected = [(lines.index(line) + 1, reason) for line, reason in bad]
    assert sorted((letter["position"], letter["reason"]) for letter in listed) == sorted(expected)
    assert answered(stack) == before + 20


async def test_files_that_cannot_be_imported(stack: Stack, tmp_path: Path) -> None:
    """Status 2, one message, and nothing was sent."""
    await wait_for_topics(stack.bootstrap_servers, 4, 1)
    before = await lag(stack, "nobody")
    other, empty = tmp_path / "other.csv", tmp_path / "empty.txt"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    empty.touch()
    (tmp_path / "headless.txt").write_bytes(bank_bytes().split(b"\n", 1)[1])
    for name in ("other.csv", "empty.txt", "headless.txt"):
        assert name in ended(stack.env(), 2, "import", "bank", str(tmp_path / name)).stderr
    for kind in ("bank", "events"):
        assert "No such file" in ended(stack.env(), 2, "import", kind, str(tmp_path / "absent")).stderr
    assert "is a folder" in ended(stack.env(), 2, "import", "events", str(tmp_path)).stderr
    assert await lag(stack, "nobody") == before


async def test_clickhouse_away_at_the_start_and_later(stack: Stack, tmp_path: Path) -> None:
    """The sink waits, says so, and loses nothing."""
    if stack.clickhouse is None:
        pytest.skip("only the local stack's ClickHouse is stopped")
    before, path = answered(stack), tmp_path / "calls.jsonl"
    path.write_bytes(json_lines(calls("away", 30)))
    stack.clickhouse.stop()
    sink = Running(stack.env(), "sink")
    try:
        wait_until(lambda: "waiting for ClickHouse" in sink.log(), "the sink does not say that it waits")
        assert not sink.ready()
        stack.clickhouse.start()
        sink.wait_ready()
        assert "ClickHouse answers" in sink.log()
        stack.clickhouse.stop()
        with background(stack.env(), "worker"):
            ended(stack.env(), 0, "import", "events", str(path), "--no-wait")
            wait_until(lambda: sink.log().count("waiting for ClickHouse") >= 2, "the sink is silent")
            stack.clickhouse.start()
            await stored(stack)
        assert answered(stack) == before + 30
        assert "Traceback" not in sink.log()
    finally:
        sink.process.stop()


async def test_broker_away_at_the_start_and_later(stack: Stack, tmp_path: Path) -> None:
    """Worker, sink and import wait for Kafka and say so."""
    if stack.kafka is None:
        pytest.skip("only the local stack's broker is stopped")
    before = answered(stack)
    for number in range(2):
        (tmp_path / f"{number}.jsonl").write_bytes(json_lines(calls(f"broker-{number}", 30)))
    stack.kafka.stop()
    commands = (["worker"], ["sink"], ["import", "events", str(tmp_path / "0.jsonl")])
    parts = [Running(stack.env(), *command) for command in commands]
    try:
        for part in parts:
            wait_until(lambda part=part: "waiting for Kafka" in part.log(), f"{part.name} is silent")
        stack.kafka.start()
        wait_until(lambda: not parts[2].process.alive(), "the import does not end")
        assert parts[2].process.returncode == 0, parts[2].log()
        stack.kafka.stop()
        parts.append(Running(stack.env(), "import", "events", str(tmp_path / "1.jsonl")))
        wait_until(lambda: "waiting for Kafka" in parts[3].log(), "the import is silent")
        stack.kafka.start()
        wait_until(lambda: not parts[3].process.alive(), "the import does not end")
        assert parts[3].process.returncode == 0, parts[3].log()
        assert answered(stack) == before + 60
        assert [part.process.alive() for part in parts] == [True, True, False, False]
        assert "Traceback" not in "".join(part.log() for part in parts)
    finally:
        for part in parts:
            part.process.stop()
