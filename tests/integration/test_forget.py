"""`ringback forget` on a customer with 50 contacts: gone from everything, for good, and no number changes."""

import shutil
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from clickhouse_connect.driver.client import Client
from support.numbers import answer, ended, stored, verified, windows
from support.stack import Stack, background

from deploy.local.ports import free_port
from maintenance.archive import Archive, Form
from maintenance.export_stored import export_stored
from maintenance.forget import forget as forgetting
from maintenance.forget import tables
from schemas import topics
from schemas.customer_key import customer_key
from schemas.forgotten import Forgotten, Person
from sinks.forgotten import kept_ledger
from streams.kafka.decoding import Wire, decode_single_object
from streams.kafka.forgotten import follow_ledger

pytestmark = pytest.mark.stack
SECRET = "a secret of at least sixteen bytes"
PERSON, WRITTEN = "+49 30 5550100", "+49 (30) 555-0100"
KEY = customer_key(PERSON, SECRET.encode()) or ""
BEGIN, HOUR = 915_148_800_000, 3_600_000  # 1 January 1999
CONTACTS = 50
NAMES = "SELECT DISTINCT customer_key FROM contacts FINAL WHERE contact_id LIKE 'p%'"
AFTER = 4_000_000_000_000  # long after anybody will have run this


def lines_of(
    name: str, customer: str | None, begin: int, outcome: str = "resolved"
) -> list[dict[str, object]]:
    """A call that is answered and ends; whose it is, its first and its last event say."""
    common = {"contact_id": name, "source": "test", "channel": "voice"}
    whose = {"customer_id": customer}
    steps = [
        {"type": "contact_started", "reason": "bill", **whose},
        {"type": "contact_queued", "queue": "sales"},
        {"type": "contact_answered", "agent": "ann", "team": "one"},
        {"type": "contact_resolved", "outcome": "resolved", **whose},
    ]
    return [
        common | step | {"event_id": f"{name}-{number}", "occurred_at": begin + number * 15_000}
        for number, step in enumerate(steps)
    ]


def write(path: Path, events: list[dict[str, object]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events))
    return path


def named_in(stack: Stack) -> dict[str, int]:
    """Where in ClickHouse the customer still stands."""
    with stack.client() as client:
        return tables.still_named(client, [KEY])


async def named_behind(stack: Stack, begin: dict[int, int]) -> tuple[int, dict[int, int]]:
    """Records of contact-events with the key behind some offsets, and where they end."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topics.CONTACT_EVENTS, number) for number in range(4)]
        consumer.assign(parts)
        ends, found = await consumer.end_offsets(parts), 0
        for part in parts:
            consumer.seek(part, begin.get(part.partition, 0))
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += sum(KEY.encode() in record.value for record in records)
        return found, {part.partition: end for part, end in ends.items()}
    finally:
        await consumer.stop()


async def send_unknown(stack: Stack) -> None:
    """A record of a schema that nobody knows, with the key in it: its bytes are kept as a dead letter."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(topics.CONTACT_EVENTS, b"\xc3\x01unknown!" + KEY.encode(), key=b"x")
    await producer.stop()


def asked(stack: Stack) -> forgetting.Asked:
    return forgetting.Asked([KEY], stack.bootstrap_servers, Wire(decode_single_object), BEGIN)


class Interrupted(Exception):
    """The command was killed."""


async def interrupted(stack: Stack, client: Client, at: str) -> None:
    """A command that is killed where it begins a step; the ledger knows that it is not done."""

    def stop(step: str) -> None:
        if step.startswith(at):
            raise Interrupted

    with pytest.raises(Interrupted):
        await forgetting.forget(client, asked(stack), stop)
    assert [person.done for person in kept_ledger(client).people.values()] == [False]


async def posted(env: dict[str, str], lines: list[dict[str, object]]) -> None:
    """Events through a gateway."""
    ports = {"RINGBACK_GATEWAY_PORT": str(free_port()), "RINGBACK_METRICS_PORT": str(free_port())}
    address = f"http://127.0.0.1:{ports['RINGBACK_GATEWAY_PORT']}/v1/events"
    with background(env | ports, "gateway"):
        async with aiohttp.ClientSession() as session, session.post(address, json=lines) as answer:
            assert answer.status == 202


async def test_gone_for_good_and_no_number_changes(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = stack.env(RINGBACK_CUSTOMER_KEY_SECRET=SECRET)
    theirs = [
        line
        for number in range(CONTACTS)
        for line in lines_of(f"p{number:02d}", PERSON, BEGIN + number * 7 * HOUR)
    ]
    others = [
        line
        for number in range(30)
        for line in lines_of(f"o{number}", f"other {number % 9}", BEGIN + number * 11 * HOUR)
    ]
    original = write(tmp_path / "original.jsonl", theirs + others)
    with background(env, "worker"), background(env, "sink"):
        ended(env, 0, "import", "events", str(original))
        await send_unknown(stack)
        verified(env)
        # Worker and sink have in memory what is to be rewritten.
        with stack.client() as client, monkeypatch.context() as patch:
            patch.setattr(forgetting, "LEAVING_S", 0.5)
            with pytest.raises(forgetting.AtWork, match="Stop all workers and sinks"):
                await forgetting.forget(client, asked(stack))
            assert not kept_ledger(client)
    assert answer(env, "forget", WRITTEN, "--dry-run")["tables"]["contacts"] >= CONTACTS
    folder = tmp_path / "history"
    with stack.client() as client:
        for form in Form:
            export_stored(client, Archive(folder), form)
    kept = shutil.copy(folder / "contact-events-1999-01.avro", tmp_path / "kept.avro")
    files = [original, *sorted(folder.glob("contact-events-*"))]
    numbers, repeats = windows(stack), stack.rows("SELECT * FROM fcr_windows FINAL ORDER BY ALL")
    facts = stack.rows("SELECT * EXCEPT customer_key FROM fcr FINAL ORDER BY ALL")
    assert stack.value("SELECT count() FROM fcr FINAL WHERE isNotNull(next_at)") > 0  # they did call again
    assert b"unknown!" in bytes.fromhex(stack.value("SELECT hex(payload) FROM dead_letters FINAL"))

    with stack.client() as client:
        await interrupted(stack, client, "rewriting table")
        assert named_in(stack)
        await interrupted(stack, client, "looking again")
    report = tmp_path / "report.txt"
    options = [option for path in files for option in ("--file", str(path))]
    told = answer(env, "forget", WRITTEN, *options, "--report", str(report))
    assert told["differences"] == 0
    assert all(total["before"] == total["after"] for total in told["totals"].values())
    assert min(told["files"].values()) > 0
    assert [log["topic"] for log in told["found"]["logs"]] == [topics.CONTACT_EVENTS, topics.DEAD_LETTERS]
    assert KEY not in report.read_text() + str(told)
    assert "5550100" not in report.read_text()

    assert named_in(stack) == {}
    names = stack.rows(NAMES)
    assert len(names) == 1
    assert windows(stack) == numbers
    assert stack.rows("SELECT * FROM fcr_windows FINAL ORDER BY ALL") == repeats
    assert stack.rows("SELECT * EXCEPT customer_key FROM fcr FINAL ORDER BY ALL") == facts
    for path in files:
        assert KEY.encode() not in path.read_bytes()
        assert b"5550100" not in path.read_bytes()
    _, ends = await named_behind(stack, {})

    # What comes back: files of before, the person's own lines, what Kafka has for an empty ClickHouse.
    write(original, theirs + others)
    later = write(tmp_path / "later.jsonl", lines_of("again", PERSON, AFTER))
    with stack.client() as client:
        for (table,) in stack.rows("SELECT name FROM system.tables WHERE database = currentDatabase()"):
            client.command(f"DROP TABLE IF EXISTS `{table}`")
    assert "0 differences" in ended(env, 0, "restore", "clickhouse").stdout
    assert named_in(stack) == {}
    assert (windows(stack), stack.rows(NAMES)) == (numbers, names)
    with background(env, "worker"), background(env, "sink"):
        ended(env, 0, "replay", "files", kept)
        ended(env, 0, "import", "events", str(original))
        await posted(env, theirs)
        await stored(stack)
        assert (await named_behind(stack, ends))[0] == 0
        assert named_in(stack) == {}
        assert windows(stack) == numbers
        assert stack.rows("SELECT * EXCEPT customer_key FROM fcr FINAL ORDER BY ALL") == facts
        assert stack.rows(NAMES) == names
        # Whoever comes back later is a customer like any other, and no repeat of what was forgotten.
        ended(env, 0, "import", "events", str(later))
        verified(env)
    assert stack.value("SELECT customer_key FROM contacts FINAL WHERE contact_id = 'again'") == KEY

    # Sealed: what comes of that time is nobody's, what is stored keeps the name.
    ended(env, 0, "forget", "--seal")
    late = write(tmp_path / "late.jsonl", lines_of("late", PERSON, BEGIN))
    with background(env, "worker"), background(env, "sink"):
        ended(env, 0, "import", "events", str(late))
        verified(env)
    assert stack.rows(NAMES) == names
    assert stack.value("SELECT customer_key FROM contacts FINAL WHERE contact_id = 'late'") is None


async def test_who_runs_on_learns_whom_to_forget(stack: Stack) -> None:
    """As a gateway does: before the command it knows nobody, or whom it knew."""
    ledgers = follow_ledger(stack.bootstrap_servers, every_s=0.1)
    known = await anext(ledgers)
    forgotten = replace(
        known,
        key=known.key or b"k" * 32,
        people={**known.people, "0" * 32: Person((Forgotten(BEGIN, "a" * 32),))},
    )
    with stack.client() as client:
        await forgetting.keep(client, stack.bootstrap_servers, forgotten, BEGIN)
    assert (await anext(ledgers)).people.keys() == forgotten.people.keys()
    await ledgers.aclose()
