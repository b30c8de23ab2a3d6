"""Every command with broken settings, folders, files and outputs: one message and a status, no traceback."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web
from clickhouse_connect.driver.exceptions import DatabaseError
from support.command import ringback
from support.stack import own_environment, wait_until
from typer import BadParameter

from adapters.sending.schema_registry import SchemaRegistry, known_writer
from cli import dead_letters, kpi, verify
from cli.main import message_of
from cli.times import instant_ms
from schemas.codec import DecodeError
from schemas.confluent import RegistryRefused

RANGE = ("--from", "2026-01-05", "--to", "2026-01-06")
COMMANDS: dict[str, tuple[str, ...]] = {
    "demo": ("demo",),
    "up": ("up",),
    "worker": ("worker",),
    "sink": ("sink",),
    "import bank": ("import", "bank", "x.jsonl"),
    "import servicenow": ("import", "servicenow", "x.jsonl"),
    "import events": ("import", "events", "x.jsonl"),
    "follow": ("follow", "asterisk", "x.jsonl"),
    "listen": ("listen", "asterisk_ami", "127.0.0.1:5038"),
    "adapter try": ("adapter", "try", "events", "x.jsonl"),
    "adapter check": ("adapter", "check", "events", "x.jsonl"),
    "simulate": ("simulate",),
    "kpi": ("kpi", *RANGE),
    "explain": ("explain", "asa", "--window", "2026-01-05"),
    "verify": ("verify",),
    "export clickhouse": ("export", "clickhouse", "folder"),
    "export kafka": ("export", "kafka", "folder"),
    "replay files": ("replay", "files", "x.jsonl"),
    "replay kafka": ("replay", "kafka"),
    "replay clickhouse": ("replay", "clickhouse"),
    "restore kafka": ("restore", "kafka"),
    "restore clickhouse": ("restore", "clickhouse"),
    "alerts check": ("alerts", "check", "x.jsonl"),
    "alerts backtest": ("alerts", "backtest", *RANGE),
    "alerts run": ("alerts", "run"),
    "alerts list": ("alerts", "list"),
    "dead-letters list": ("dead-letters", "list"),
    "dead-letters show": ("dead-letters", "show", "a", "1"),
    "dead-letters replay": ("dead-letters", "replay"),
    "dead-letters close": ("dead-letters", "close", "a"),
    "doctor": ("doctor",),
    "heal": ("heal",),
}
PASSWORD = "sekret"
SETTINGS = {
    "CLICKHOUSE_URL": (
        "http://[::1", "http://127.0.0.1:99999/x", f"u:{PASSWORD}@127.0.0.1:1", f"http://u:12/{PASSWORD}@h:1/x",
        f"http://u:{PASSWORD}/x@h:1/x", "ftp://x", "http://", f"http://u:a@{PASSWORD}@h/x", "//h",
    ),
    "SCHEMA_REGISTRY_URL": (f"u:{PASSWORD}@h:1", "http://[::1", "http://h:99999", f"//u:{PASSWORD}@h"),
    "KAFKA_BOOTSTRAP_SERVERS": (":::", "h:", "h:0", "h:99999", ",", f"http://u:{PASSWORD}@h:9092", "[::1"),
    "RINGBACK_RULES": ("[" * 100_000, "{", "[]", '{"x": 1}', '{"fcr": 7}'),
    "RINGBACK_KAFKA_PORT": ("0", "x"),
    "RINGBACK_TIMEZONE": ("../../etc/passwd", "\udcff", "Mars"),
    "RINGBACK_MAVEN_REPOSITORY": (f"u:{PASSWORD}@h",),
}  # fmt: skip
CASES = [(name, value) for name, values in SETTINGS.items() for value in values]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jsonl").write_text("{}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_broken_settings(command: str) -> None:
    for name, value in CASES:
        done = ringback(*COMMANDS[command], **{name: value})
        assert (done.status, name in done.output) == (2, True), (name, value[:40], done)
        assert "Traceback" not in done.output
        assert PASSWORD not in done.output


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["binary", "folder", "deep", "latin"])
def test_a_broken_settings_file(tmp_path: Path, command: str, kind: str) -> None:
    file = tmp_path / "ringback.toml"
    if kind == "folder":
        file.mkdir()
    else:
        file.write_bytes({"binary": b"\0\xff", "deep": b"x = " + b"[" * 50_000, "latin": b'x = "\xe4"'}[kind])
    done = ringback(*COMMANDS[command])
    assert done.status == 2
    assert "ringback.toml" in done.output


@pytest.mark.parametrize("command", ["up", "import events", "import bank"])
@pytest.mark.parametrize("folder", ["x.jsonl", "x.jsonl/below", "/proc/nowhere", "/dev/null"])
def test_a_data_folder_that_cannot_be_used(command: str, folder: str) -> None:
    done = ringback(*COMMANDS[command], RINGBACK_DATA_DIR=folder)
    assert done.status == 3
    assert "RINGBACK_DATA_DIR" in done.output


@pytest.mark.parametrize("text", ["9990-01-01", "0001-01-01", "9999-12-31T23:59", "1899-12-31", "2200-01-01"])
def test_times_beyond_the_tables(text: str) -> None:
    for zone in ("UTC", "Pacific/Kiritimati"):
        with pytest.raises(BadParameter, match="outside the years"):
            instant_ms(text, zone)
    for args in (("kpi", "--from", text, "--to", "9999-12-31"), ("explain", "asa", "--window", text)):
        assert ringback(*args).status == 2


@pytest.mark.parametrize(
    "args",
    [
        ("dead-letters", "show", "a", "--", "-1"),
        ("dead-letters", "show", "a", "99999999999999999999"),
        ("simulate", "--truth", "nowhere/truth.json"),
        ("simulate", "--truth", "."),
        ("import", "events", "nowhere"),
        ("import", "events", "."),
    ],
)
def test_arguments(args: tuple[str, ...]) -> None:
    done = ringback(*args)
    assert done.status == 2
    assert "Traceback" not in done.output


class Failing:
    """A ClickHouse that has lost a part, or its memory."""

    def query(self, *_: object, **__: object) -> None:
        raise DatabaseError("Code: 241. DB::Exception: MEMORY_LIMIT_EXCEEDED")

    command = query


@pytest.mark.parametrize(
    "args", [("dead-letters", "list"), ("dead-letters", "show", "a", "1"), ("kpi", *RANGE), ("verify",)]
)
def test_a_clickhouse_that_cannot_answer(monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    for module in (dead_letters, kpi, verify):
        monkeypatch.setattr(module, "client", lambda _: Failing())
    monkeypatch.setattr(verify, "settle", lambda _: None)
    done = ringback(*args)
    assert done.status == 3
    assert "MEMORY_LIMIT" in done.stderr


@pytest.mark.parametrize(
    "text", [None, 7, "7", "{", "[" * 50_000, '{"type":"record"}', '{"type":[]}', "null"]
)
def test_a_registry_that_answers_nonsense_for_a_schema(text: object) -> None:
    with pytest.raises(DecodeError, match="schema 7 is no"):
        known_writer({"schema": text}, {}, 7)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null", b"", b'{"id":"x"}', b"[" * 50_000, b"\xff"])
async def test_a_registry_that_is_none(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    registry = SchemaRegistry(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        with pytest.raises(RegistryRefused, match=r"is no (schema )?registry"):
            await asyncio.to_thread(registry.id_of, "contact_started")
    finally:
        await runner.cleanup()


def test_errors_of_the_system_in_words() -> None:
    assert message_of(FileNotFoundError(2, "No such file", "a/b")) == "a/b: No such file"
    assert message_of(OSError(28, "No space left")).startswith("No space left: ")
    assert message_of(OSError()) == "OSError"


def process(*args: str, tail: str = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    """A command as a process of its own, with a redirection of the shell behind it."""
    words = f'exec "$0" -P -m cli.main "$@" {tail}'
    environment = own_environment() | env
    argv = ["sh", "-c", words, sys.executable, *args]
    return subprocess.run(argv, env=environment, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("args", "tail", "status"),
    [
        (("adapter", "list"), ">/dev/full", 3),
        (("adapter", "list", "--format", "json"), ">/dev/full", 3),
        (("adapter", "try", "events", "x.jsonl"), ">/dev/full", 0),  # nothing to print there
        (("adapter", "list"), ">&-", 0),
        (("adapter", "try", "events", "-"), "<&-", 2),
        (("import", "events", "-"), "<&- >&-", 2),
        (("adapter", "list"), "| head -c 10", 0),
    ],
)
def test_streams_that_are_closed_or_full(args: tuple[str, ...], tail: str, status: int) -> None:
    done = process(*args, tail=tail, RINGBACK_CUSTOMER_KEY_SECRET="k" * 16)
    assert done.returncode == status, done
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "args", [("adapter", "list"), ("adapter", "list", "--format", "json"), ("kpi", "--help"), ("--help",)]
)
def test_an_output_that_nobody_reads_ends_as_sigpipe_would(args: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-P", "-m", "cli.main", *args]
    done = subprocess.run(
        command, env=own_environment(), stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_an_output_cut_off_behind_the_last_line_leaves_the_status() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys; from cli.std_streams import *; mend_streams(); print('x'); flush(); sys.exit(7)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=own_environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (7, b"")


def test_an_output_that_is_not_utf_8() -> None:
    code = "from cli import console, std_streams; std_streams.mend_streams(); console.out.print('Zoë 客服')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=own_environment() | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"Zo\\xeb \\u5ba2\\u670d\n"


def test_logs_hold_no_terminal_codes_when_they_are_redirected(tmp_path: Path) -> None:
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "RINGBACK_METRICS_PORT": "39464",
        "TERM": "xterm-256color",
    }
    path, command = tmp_path / "log", [sys.executable, "-P", "-m", "cli.main", "sink"]
    with path.open("wb") as file:
        running = subprocess.Popen(
            command, env=own_environment() | env, stdout=file, stderr=subprocess.STDOUT, cwd=tmp_path
        )
    wait_until(lambda: path.stat().st_size > 0, "it says nothing")
    running.send_signal(signal.SIGTERM)
    running.wait(30)
    assert b"\x1b" not in path.read_bytes()


@pytest.mark.parametrize("after_ms", [200, 400, 700, 1_200])
def test_ctrl_c_at_the_beginning_of_up(tmp_path: Path, after_ms: int) -> None:
    env = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "CLICKHOUSE_URL": "http://127.0.0.1:1/x"}
    entry = Path(sys.executable).with_name("ringback")
    running = subprocess.Popen(
        [entry, "up"],
        env=own_environment() | env,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        start_new_session=True,
    )
    time.sleep(after_ms / 1000)
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=45)
    assert b"Traceback" not in said
    assert running.returncode in (0, 130, -signal.SIGINT)
