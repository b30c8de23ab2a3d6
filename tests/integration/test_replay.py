"""Events that were exported and replayed are the same events: the same rows, the same windows."""

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from support.every_kind import EVERY_KIND
from support.numbers import answer, ended, json_lines, verified, windows
from support.stack import Running, Stack, background

from adapters.kit.event_lines import event_line
from maintenance.container import read_container
from maintenance.parquet import read_parquet
from schemas.codec import decode, encode
from schemas.events import ContactQueued, ContactStarted, Event
from schemas.time_units import MINUTE_MS

pytestmark = pytest.mark.stack
TABLES = ("events", "agent_events")


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Iterator[Stack]:
    """Worker and sink at work, and a simulated contact centre stored."""
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        ended(stack.env(), 0, "simulate", "--contacts", "150", "--seed", "7")
        yield stack


def stored_events(stack: Stack) -> set[bytes]:
    """Canonical bytes of all events that ClickHouse holds."""
    return {
        bytes.fromhex(row[0])
        for table in TABLES
        for row in stack.rows(f"SELECT hex(canonical) FROM {table} FINAL")
    }


def events_in(folder: Path) -> list[Event]:
    """Events of exported files, read by our readers."""
    found: list[Event] = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".avro", ".parquet"):
            read = read_container(path) if path.suffix == ".avro" else read_parquet(path, b"")
            found += [event for event in read if not isinstance(event, Exception)]
    return found


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("avro", "kafka"),
        ("parquet", "clickhouse"),
        pytest.param("avro", "clickhouse", marks=EVERY_KIND),
        pytest.param("parquet", "kafka", marks=EVERY_KIND),
    ],
)
def test_exported_and_replayed(filled: Stack, tmp_path: Path, source: str, form: str) -> None:
    env, folder = filled.env(), tmp_path / "history"
    before, numbers = stored_events(filled), windows(filled)
    report = answer(env, "export", source, str(folder), "--as", form)
    exported = events_in(folder)
    assert {encode(event) for event in exported} == before
    assert report["events"] == len(exported) >= len(before)
    again = answer(env, "export", source, str(folder), "--as", form)
    assert (again["written"], again["events"]) == (0, report["events"])
    files = sorted(map(str, folder.iterdir()))  # the manifest among them, as `history/*` gives it
    done = answer(env, "replay", "files", *files)
    assert done == {"sent": len(exported), "dead_letters": 0, "unreadable": 0}
    assert (stored_events(filled), windows(filled)) == (before, numbers)
    verified(env)


def test_from_json_lines_clickhouse_and_kafka(filled: Stack, tmp_path: Path) -> None:
    env, before, numbers = filled.env(), stored_events(filled), windows(filled)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(event_line(decode(canonical)) for canonical in before))
    assert answer(env, "replay", "files", str(path))["sent"] == len(before)
    assert answer(env, "replay", "clickhouse")["sent"] == len(before)
    first = answer(env, "replay", "kafka", "--topic", "contact-events", "--offsets", "0:0-50")
    assert first["sent"] == 50
    assert answer(env, "replay", "kafka", "--sent-from", "2020-01-01", "--sent-to", "2020-01-02")["sent"] == 0
    assert answer(env, "replay", "kafka")["sent"] > len(before)  # what was replayed is in the topics too
    assert (stored_events(filled), windows(filled)) == (before, numbers)
    verified(env)


def test_killed_and_gone_on_with(filled: Stack, tmp_path: Path) -> None:
    env, before, numbers = filled.env(), stored_events(filled), windows(filled)
    path = tmp_path / "many.jsonl"
    events = sorted((decode(canonical) for canonical in before), key=lambda e: (e.occurred_at, e.event_id))
    path.write_bytes(b"".join(map(event_line, events)) * 4)
    running = Running(env, "replay", "files", str(path), "--rate", "700", "--no-wait")
    positions = filled.data_dir / "replays"
    deadline = time.monotonic() + 60
    while not (positions.exists() and [*positions.glob("*.json")]):
        assert time.monotonic() < deadline, running.log()
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.process.stop()
    (kept,) = positions.glob("*.json")
    sent = json.loads(kept.read_bytes())["sent"]
    assert 0 < sent < 4 * len(events)
    done = ended(env, 0, "replay", "files", str(path), "--format", "json")
    assert f"going on behind {sent:,} events" in done.stderr
    assert json.loads(done.stdout)["sent"] == 4 * len(events)
    assert not [*positions.glob("*.json")]
    assert (stored_events(filled), windows(filled)) == (before, numbers)
    verified(env)


def test_a_dry_run_says_what_then_happens(filled: Stack, tmp_path: Path) -> None:
    env, before, numbers = filled.env(), stored_events(filled), windows(filled)
    path = tmp_path / "late.jsonl"
    path.write_bytes(json_lines([*late(before), *map(decode, sorted(before)[:200])]))
    told = answer(env, "replay", "files", str(path), "--dry-run")
    assert (told["events"], told["new"], told["apart"]) == (
        told["new"] + 200 - told["apart"],
        11,
        told["apart"],
    )
    assert (stored_events(filled), windows(filled)) == (before, numbers)
    assert filled.value("SELECT count() FROM system.tables WHERE name LIKE 'replay_%'") == 0
    answer(env, "replay", "files", str(path))
    assert windows(filled) == applied(numbers, told["changes"])
    assert windows(filled) != numbers
    verified(env)
    assert answer(env, "replay", "files", str(path), "--dry-run")["windows"] == 0


def late(before: set[bytes]) -> list[Event]:
    """A correction of a known event, and a contact that nobody knew."""
    queued = [e for e in map(decode, sorted(before)) if isinstance(e, ContactQueued)]
    corrections: list[Event] = [
        e.model_copy(update={"queue": "elsewhere", "revision": 9}) for e in queued[:9]
    ]
    at = queued[0].occurred_at
    return [
        *corrections,
        ContactStarted(event_id="s", contact_id="late", occurred_at=at, source="test"),
        ContactQueued(event_id="q", contact_id="late", occurred_at=at, source="test", queue="sales"),
    ]


def applied(numbers: Any, changes: list[dict[str, Any]]) -> Any:
    """Windows with the changes that were told."""
    after = {key: dict(row) for key, row in numbers.items()}
    for change in changes:
        if "days" in change["dimensions"]:
            continue
        start = round(datetime.fromisoformat(change["window_start"]).timestamp() * 1000)
        assert start % MINUTE_MS == 0
        row = after.setdefault((start, change["dimensions"]["channel"], change["dimensions"]["queue"]), {})
        for name, measure in change["measures"].items():
            assert row.get(name, 0) == measure["now"]
            row[name] = measure["then"]
    present = {key: {name: value for name, value in row.items() if value} for key, row in after.items()}
    return {key: row for key, row in present.items() if row}


def test_wrong_files_and_options(filled: Stack, tmp_path: Path) -> None:
    env = filled.env()
    text, cut, other = tmp_path / "notes.txt", tmp_path / "cut.avro", tmp_path / "x.parquet"
    text.write_text("dear diary")
    assert "no file of JSON lines" in ended(env, 2, "replay", "files", str(text)).stderr
    answer(env, "export", "clickhouse", str(tmp_path / "h"))
    whole = next((tmp_path / "h").glob("contact-events-*.avro")).read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    assert "cut short" in ended(env, 2, "replay", "files", str(cut)).stderr
    other.write_bytes(b"PAR1 and no more")
    assert "cannot be read as Parquet" in ended(env, 2, "replay", "files", str(other)).stderr
    assert "cannot read" in ended(env, 2, "replay", "files", str(tmp_path / "none.avro")).stderr
    cut.write_bytes(b"")
    assert "written to its end" in ended(env, 2, "replay", "files", str(cut)).stderr
    assert "no topic nowhere" in ended(env, 2, "replay", "kafka", "--topic", "nowhere").stderr
    for command in (("replay", "kafka"), ("export", "kafka", str(tmp_path / "n"))):
        wide = env | {"COLUMNS": "250"}
        assert "holds no events" in ended(wide, 2, *command, "--topic", "kpi-windows").stderr
        assert "dead-letters replay" in ended(wide, 2, *command, "--topic", "dead-letters").stderr
    wrong = ("kafka", "--topic", "contact-events", "--offsets", "9")
    assert "no partition 9" in ended(env, 2, "replay", *wrong).stderr
    assert "no partition 9" in ended(env, 2, "export", "kafka", str(tmp_path / "n"), *wrong[1:]).stderr
    ended(env, 2, "replay", "kafka", "--offsets", "0:1-2")
    (tmp_path / "h" / "manifest.json").write_bytes(orjson.dumps([1]))
    assert "take another folder" in ended(env, 2, "export", "clickhouse", str(tmp_path / "h")).stderr


def test_a_topic_of_something_else(filled: Stack) -> None:
    env, servers = filled.env(), filled.kafka.bootstrap_servers
    admin = AdminClient({"bootstrap.servers": servers})  # without a name it would be gone before the answer
    for made in admin.create_topics([NewTopic("diary", 1)]).values():
        made.result(60)
    producer = Producer({"bootstrap.servers": servers})
    for _ in range(3):
        producer.produce("diary", b"dear diary")
    assert producer.flush(60) == 0
    assert "3 records cannot be read" in ended(env, 1, "replay", "kafka", "--topic", "diary").stderr
    found = answer(env, "replay", "kafka", "--topic", "diary", "--dry-run")
    assert (found["events"], found["unreadable"]) == (0, 3)


def test_a_file_never_comes_to_hold_less_by_itself(filled: Stack, tmp_path: Path) -> None:
    env, folder = filled.env(), tmp_path / "history"
    report = answer(env, "export", "clickhouse", str(folder))
    manifest = folder / "manifest.json"
    held = json.loads(manifest.read_bytes())
    name = next(iter(held))
    held[name]["events"] += 1  # as if an event was deleted since
    manifest.write_bytes(orjson.dumps(held))
    assert "would be lost" in ended(env, 2, "export", "clickhouse", str(folder)).stderr
    assert answer(env, "export", "clickhouse", str(folder), "--overwrite")["events"] == report["events"]
