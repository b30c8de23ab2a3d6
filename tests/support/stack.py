"""A Kafka and a ClickHouse for tests, and `ringback` processes on them.

The fixtures `stack` and `fresh_stack` of tests/integration/conftest.py give a Stack; everything here has to
be called from the main thread, because on Linux what it starts ends with the thread that started it.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from support import quick_broker

from cli.port_offsets import PORT_OFFSETS
from deploy.local.child import ChildProcess, Command, log_tail
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from sinks.connection import connect
from sinks.views.statements import apply_views
from sinks.writer import migrate
from streams.health.ready_file import VARIABLE

RINGBACK = [sys.executable, "-m", "cli.main"]
READY_LIMIT_S = 60.0
STOP_LIMIT_MS = 30_000
RUN_LIMIT_S = 120.0
POLL_S = 0.05
# A developer's own settings must not decide what a test sees.
FOREIGN = ("RINGBACK_", "KAFKA_", "CLICKHOUSE_", "SCHEMA_REGISTRY_")
KEPT = ("RINGBACK_CACHE_DIR", "RINGBACK_MAVEN_REPOSITORY")


@dataclass(frozen=True)
class Stack:
    """Where Kafka and ClickHouse are; `kafka` and `clickhouse` are their handles, on the local stack only.

    The handles are there to be killed and started again: `os.kill(stack.kafka.pid, SIGKILL)`, `.start()`.
    """

    bootstrap_servers: str
    clickhouse_url: str
    data_dir: Path
    kafka: LocalKafka | None = None
    clickhouse: LocalClickHouse | None = None

    def env(self, **more: str) -> dict[str, str]:
        """Settings of a `ringback` process on this stack; `more` adds to them or replaces some."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "CLICKHOUSE_URL": self.clickhouse_url,
            "RINGBACK_DATA_DIR": str(self.data_dir),
            "RINGBACK_METRICS_PORT": str(free_port(*PORT_OFFSETS)),  # of each process its own
        } | more

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A ClickHouse client, the one of the sink."""
        with closing(connect(self.clickhouse_url)) as client:
            yield client

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What a query returns."""
        with self.client() as client:
            return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]

    def value(self, sql: str, **parameters: Any) -> Any:
        """The first value that a query returns."""
        return self.rows(sql, **parameters)[0][0]


@cache
def made_database() -> Path:
    """A data folder whose ClickHouse has all tables and views: making them costs it five seconds of CPU.

    Copied for each stack. That a sink makes them is tested with `ringback up`, `demo` and `restore`.
    """
    folder = Path(tempfile.mkdtemp(prefix="ringback-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = LocalClickHouse(folder, free_port())
    server.start()
    try:
        with closing(connect(server.address)) as client:
            migrate(client)
            apply_views(client, DEFAULT_RULES, "UTC")
    finally:
        server.stop()
    return folder


@contextmanager
def local_stack(data_dir: Path, broker: type[LocalKafka] = LocalKafka) -> Iterator[Stack]:
    """The local stack on free ports, its data in `data_dir`; takes about three seconds to start."""
    cache_dir = Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir())
    runtime = ensure_runtime(cache_dir, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    if not (data_dir / "clickhouse").exists():
        skipped = shutil.ignore_patterns("logs")
        shutil.copytree(made_database(), data_dir, symlinks=True, ignore=skipped, dirs_exist_ok=True)
    quick_broker.prepare(data_dir, runtime)
    with ExitStack() as stopping:
        kafka = broker(data_dir, free_port(), runtime)
        stopping.callback(kafka.stop)
        kafka.launch()  # starts while ClickHouse starts
        clickhouse = LocalClickHouse(data_dir, free_port())
        stopping.callback(clickhouse.stop)
        clickhouse.start()
        wait_until(kafka.ready, "the local Kafka is not usable")
        yield Stack(kafka.bootstrap_servers, clickhouse.address, data_dir, kafka, clickhouse)


def wait_until(holds: Callable[[], bool], otherwise: str, limit_s: float = READY_LIMIT_S) -> None:
    """Ask every 50 ms until it holds; an AssertionError when it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"{otherwise} after {limit_s:g} s"
        time.sleep(POLL_S)


def own_environment() -> dict[str, str]:
    """The environment of the tests without anybody's settings of Ringback."""
    return {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) or k in KEPT}


def run_ringback(
    env: Mapping[str, str], *args: str, limit_s: float = RUN_LIMIT_S
) -> subprocess.CompletedProcess[str]:
    """Run one `ringback` command to its end; its status is for the test to judge."""
    return subprocess.run(
        [*RINGBACK, *args],
        env=own_environment() | env,
        cwd=env["RINGBACK_DATA_DIR"],  # away from anybody's ringback.toml
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


class Running:
    """A `ringback` process in the background. `process.kill()` is SIGKILL, `process.stop()` SIGTERM."""

    def __init__(self, env: Mapping[str, str], *args: str, program: Sequence[str] = RINGBACK) -> None:
        logs = Path(env["RINGBACK_DATA_DIR"]) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        number = len(list(logs.glob(f"{args[0]}-*.log"))) + 1
        self.name = f"{args[0]}-{number}"
        self.log_path = logs / f"{self.name}.log"
        self.ready_file = logs / f"{self.name}.ready"
        # ChildProcess adds to our environment, so what must not get through is emptied by `env -u`.
        unset = [f"--unset={k}" for k in os.environ if k not in own_environment() and k not in env]
        command = Command(
            ["env", f"--chdir={logs.parent}", *unset, *program, *args],
            self.log_path,
            {**env, VARIABLE: str(self.ready_file)},
            STOP_LIMIT_MS,
        )
        self.process = ChildProcess(command)

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def log(self) -> str:
        """All it has printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def ready(self) -> bool:
        """Whether it takes events; an AssertionError with its last words when it has ended instead."""
        if self.ready_file.exists():
            return True
        assert self.process.alive(), f"{self.name} ended:\n{log_tail(self.log_path, 20)}"
        return False

    def wait_ready(self, limit_s: float = READY_LIMIT_S) -> None:
        """Wait until it takes events."""
        wait_until(self.ready, f"{self.name} is not ready", limit_s)


@contextmanager
def background(env: Mapping[str, str], *args: str, limit_s: float = READY_LIMIT_S) -> Iterator[Running]:
    """`ringback worker` or `ringback sink` while the block runs, ready when it begins, stopped by SIGTERM."""
    running = Running(env, *args)
    try:
        running.wait_ready(limit_s)
        yield running
    finally:
        running.process.stop()
