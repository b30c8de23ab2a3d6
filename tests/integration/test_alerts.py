"""`ringback alerts` on a real ClickHouse and a real receiver: a dip now, told once, through kills."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import orjson
import pytest
from support.embedded import credentials
from support.numbers import answer, ended
from support.stack import Running, wait_until

from cli.alerting.files import LEDGER
from cli.port_offsets import ALERTS_PORT_OFFSET, PORT_OFFSETS
from cli.wallboard_alerts import latest_changes
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from sinks.connection import connect
from sinks.rows import WINDOW_COLUMNS
from sinks.views.statements import apply_views
from sql.migrate import migrations
from wallboard.alerts import queue_of

pytestmark = pytest.mark.stack
MINUTE_MS = 60_000
TAKES_OVER_S = 60  # ten seconds and what a busy machine adds
RULES = """version: 1
groups:
  - name: g
    interval: 1s
    rules:
      - alert: ServiceLevelLow
        kpi: service_level
        by: [queue]
        when: {type: objective, op: "<", target: 0.8, windows: [15m, 1h]}
        for: 2s
        keep_firing_for: 3s
        settle: 0s
"""


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    server = LocalClickHouse(tmp_path / "stack", free_port())
    server.start()
    (tmp_path / "data").mkdir()
    login = credentials(server)
    url = f"http://{login['X-ClickHouse-User']}:{login['X-ClickHouse-Key']}@127.0.0.1:{server.port}/ringback"
    with connect(url) as client:
        for migration in migrations():
            for statement in migration.statements:
                client.command(statement)
    yield {
        "CLICKHOUSE_URL": url,
        "RINGBACK_DATA_DIR": str(tmp_path / "data"),
        "RINGBACK_METRICS_PORT": str(free_port(*PORT_OFFSETS)),
    }
    server.stop()


@pytest.fixture
def told() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver, and what it was told."""
    got: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append(body | {"key": self.headers["Idempotency-Key"]})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/", got
    http.shutdown()
    http.server_close()


@contextmanager
def at_work(env: dict[str, str], *command: str) -> Iterator[Running]:
    """An evaluator; at the end it is told to stop, and does."""
    running = Running(env, *command)
    try:
        yield running
    finally:
        running.process.stop()
    assert "Traceback" not in running.log()


def insert(env: dict[str, str], minute: int, queue: str, in_target: int, n: int) -> None:
    """A minute of a queue as the sink writes it."""
    sums = dict.fromkeys(MEASURES, 0) | {"answered_in_target": in_target, "service_level_n": n}
    row = {"window_start": minute, "channel": "voice", "queue": queue, "partition": 0, "version": 1} | sums
    with connect(env["CLICKHOUSE_URL"]) as client:
        client.insert("kpi_windows", [[row[name] for name in WINDOW_COLUMNS]], column_names=WINDOW_COLUMNS)


def this_minute() -> int:
    return int(time.time() * 1000) // MINUTE_MS * MINUTE_MS


@pytest.fixture
def command(told: tuple[str, list[dict[str, Any]]], tmp_path: Path) -> tuple[str, ...]:
    """`alerts run` by the rules above, telling that receiver."""
    rules, receivers = tmp_path / "rules.yaml", tmp_path / "receivers.yaml"
    rules.write_text(RULES)
    receivers.write_text(
        f"version: 1\nreceivers:\n  - {{name: hook, type: webhook, url: '{told[0]}', allow_private: true}}\n"
    )
    return ("alerts", "run", "--rules", str(rules), "--receivers", str(receivers))


def metrics(env: dict[str, str]) -> str:
    """What Prometheus sees; "" while nothing is served."""
    port = int(env["RINGBACK_METRICS_PORT"]) + ALERTS_PORT_OFFSET
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answered:
            return str(answered.read(), "utf-8")
    except OSError:
        return ""


def test_a_dip_is_told_once_through_kills(
    env: dict[str, str], told: tuple[str, list[dict[str, Any]]], command: tuple[str, ...], tmp_path: Path
) -> None:
    now = this_minute()
    for ago in range(2, 12):
        insert(env, now - ago * MINUTE_MS, "sales", 2, 10)
        insert(env, now - ago * MINUTE_MS, "support", 9, 10)
    for attempt in range(3):
        with at_work(env, *command) as running:
            wait_until(lambda: bool(told[1]), "nobody is told")
            wait_until(lambda: "ringback_alerts_speaks 1.0" in metrics(env), "no metrics")
            if attempt < 2:
                os.kill(running.process.pid, signal.SIGKILL)
    assert {body["key"] for body in told[1]} == {told[1][0]["key"]}
    assert (told[1][0]["status"], told[1][0]["labels"]) == ("firing", {"queue": "sales"})
    assert (told[1][0]["value"], told[1][0]["n"]) == ("20.0 %", 100)
    insert(env, this_minute() - MINUTE_MS, "sales", 30, 30)
    with at_work(env, *command):
        wait_until(lambda: told[1][-1]["status"] == "resolved", "its end is not told")
    listed = answer(env, "alerts", "list")
    assert [change["kind"] for change in listed["changes"]] == ["resolved", "firing"]
    assert listed["outbox"] == {"sent": 2}
    episode = listed["changes"][0]["episode"]
    own = env | {"RINGBACK_ALERT_RULES": str(tmp_path / "rules.yaml")}
    explained = answer(own, "alerts", "explain", episode)
    assert [change["kind"] for change in explained["changes"]] == ["firing", "resolved"]
    assert (explained["changes"][0]["seen"]["successes"], explained["changes"][0]["seen"]["n"]) == (20, 100)
    assert "20 of 100 in 15 min" in ended(own, 0, "alerts", "explain", episode).stdout
    assert "no episode gone" in ended(own, 1, "alerts", "explain", "gone").stderr
    with connect(env["CLICKHOUSE_URL"]) as client:
        assert client.query(
            "SELECT kind, labels['queue'] FROM alert_transitions FINAL ORDER BY at"
        ).result_rows == [
            ("firing", "sales"),
            ("resolved", "sales"),
        ]
        apply_views(client, DEFAULT_RULES, "UTC")
        (row,) = client.query("SELECT alert, queue, ending, successes, n FROM alert").result_rows
        assert row == ("ServiceLevelLow", "sales", "resolved", 20, 100)
        walls = latest_changes(client, tmp_path / "no ledger")
        assert walls is not None
        assert [(one[0], queue_of(one[1]), one[2]) for one in walls] == [
            ("ServiceLevelLow", "sales", "resolved"),
            ("ServiceLevelLow", "sales", "firing"),
        ]
        client.command("TRUNCATE TABLE alert_transitions")
        assert latest_changes(client, tmp_path / "no ledger") is None


def stop_between_writes(pid: int, ledger: Path) -> None:
    """SIGSTOP, but not within a transaction of the ledger's file: its lock would be held for as long."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        with closing(sqlite3.connect(ledger, isolation_level=None, timeout=0.5)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
                return
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)


def test_two_evaluators_have_one_voice_though_one_is_stopped_and_woken(
    env: dict[str, str], told: tuple[str, list[dict[str, Any]]], command: tuple[str, ...]
) -> None:
    now = this_minute()
    for ago in range(2, 12):
        insert(env, now - ago * MINUTE_MS, "sales", 2, 10)
    with at_work(env, *command) as first:
        wait_until(lambda: bool(told[1]), "nobody is told")
        with at_work(env, *command) as second:
            time.sleep(2)
            stop_between_writes(first.process.pid, Path(env["RINGBACK_DATA_DIR"]) / LEDGER)
            try:
                began = time.monotonic()
                insert(env, this_minute() - MINUTE_MS, "sales", 30, 30)
                wait_until(lambda: told[1][-1]["status"] == "resolved", "the second does not take over")
                assert time.monotonic() - began < TAKES_OVER_S
            finally:
                os.kill(first.process.pid, signal.SIGCONT)
            time.sleep(3)
            assert second.process.alive()
    assert [body["status"] for body in told[1]] == ["firing", "resolved"]


@pytest.fixture
def machines(env: dict[str, str], tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """Two machines that share Kafka and ClickHouse, and no folder."""
    runtime = ensure_runtime(Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir()),
                             os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)  # fmt: skip
    kafka = LocalKafka(tmp_path / "kafka", free_port(), runtime)
    kafka.launch()
    wait_until(kafka.ready, "the local Kafka is not usable")
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(env | {
            "RINGBACK_DATA_DIR": str(tmp_path / name), "RINGBACK_METRICS_PORT": str(free_port(*PORT_OFFSETS)),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "RINGBACK_ALERT_LEDGER": "kafka",
        })  # fmt: skip
    yield found
    kafka.stop()


def made(env: dict[str, str], queue: str) -> str:
    """The id of a silence of a queue."""
    said = ended(env, 0, "alerts", "silence", "add", f"queue={queue}", "--for", "1h", "--comment", "a test")
    return said.stdout.split()[0]


def held(env: dict[str, str]) -> list[str]:
    """Why notifications wait, as the ledger of a machine has it."""
    return [each["error"] for each in answer(env, "alerts", "list", "--problems")]


def test_two_machines_have_one_voice_through_a_stop_and_a_kill(
    machines: list[dict[str, str]], told: tuple[str, list[dict[str, Any]]], command: tuple[str, ...]
) -> None:
    env, other = machines
    now = this_minute()
    for ago in range(2, 12):
        insert(env, now - ago * MINUTE_MS, "sales", 2, 10)
    with at_work(env, *command) as first:
        wait_until(lambda: bool(told[1]), "nobody is told")
        # Silences hold wherever they are made: where nothing is evaluated, and after a change of turns.
        silenced = [made(other, queue) for queue in ("quiet", "calm", "over")]
        ended(other, 0, "alerts", "silence", "expire", silenced[2])
        insert(env, this_minute() - MINUTE_MS, "quiet", 2, 60)
        wait_until(lambda: "silenced" in held(env), "a silence of another machine does not hold")
        assert [each["id"] for each in answer(env, "alerts", "silence", "list")] == silenced[:2]
        with at_work(other, *command) as second:
            wait_until(
                lambda: "alerts are evaluated" in second.log(), "the second does not wait for its turn"
            )
            os.kill(first.process.pid, signal.SIGSTOP)
            began = time.monotonic()
            try:
                wait_until(
                    lambda: "alerts are evaluated here" in second.log(), "the second does not take over"
                )
                assert time.monotonic() - began < TAKES_OVER_S
                insert(env, this_minute() - MINUTE_MS, "sales", 30, 30)
                wait_until(lambda: told[1][-1]["status"] == "resolved", "its end is not told by the second")
            finally:
                os.kill(first.process.pid, signal.SIGCONT)
            wait_until(lambda: "another evaluator has taken over" in first.log(), "the first does not notice")
            for queue in ("calm", "support"):
                insert(env, this_minute() - MINUTE_MS, queue, 2, 60)
            wait_until(lambda: len(told[1]) > 2, "the second says nothing more")
            wait_until(lambda: held(other).count("silenced") == 2, "it does not know of the silences")
            os.kill(second.process.pid, signal.SIGKILL)
            insert(env, this_minute(), "support", 300, 300)
            wait_until(lambda: told[1][-1]["status"] == "resolved", "the first does not take over again")
    by_key = {body["key"]: body for body in told[1]}  # killed before it knew that it was told: told again
    assert [(body["status"], body["labels"]["queue"]) for body in by_key.values()] == [
        ("firing", "sales"), ("resolved", "sales"), ("firing", "support"), ("resolved", "support"),
    ]  # fmt: skip
    assert len(told[1]) <= 5


def test_backtest_of_history(env: dict[str, str], tmp_path: Path) -> None:
    begin = 1_767_571_200_000  # 2026-01-05
    for number in range(0, 600):
        if number % 5 == 0:
            insert(env, begin + number * MINUTE_MS, "sales", 1 if 300 <= number < 360 else 9, 10)
    found = answer(env, "alerts", "backtest", "--from", "2026-01-05", "--to", "2026-01-06")
    assert [(one["alert"], one["labels"]["queue"], one["ending"]) for one in found] == [
        ("ServiceLevelLow", "sales", "resolved")
    ]
    assert found[0]["fired_at"] == "2026-01-05T05:09:00Z"
    text = ended(env, 0, "alerts", "backtest", "--from", "2026-01-05", "--to", "2026-01-06").stdout
    assert "1 episodes in 0.1 weeks" in text
    days = ("--from", "2026-01-05", "--to", "2026-01-06")
    aside = answer(env, "alerts", "backtest", *days, "--beside")["differences"]
    assert {"only": "by these rules", "alert": "ServiceLevelLow", "labels": found[0]["labels"]} in [
        {name: one[name] for name in ("only", "alert", "labels")} for one in aside
    ]
    assert "by these rules alone" in ended(env, 0, "alerts", "backtest", *days, "--beside").stdout
