"""The parts of bench.soak that are killed: broker, ClickHouse, worker processes and a sink process."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.stack import PARTITIONS, Stack
from deploy.local.child import ChildProcess, Command, log_tail
from deploy.local.ports import free_port
from streams.health.ready_file import VARIABLE

BROKER, CLICKHOUSE, SINK, WORKER = "broker", "clickhouse", "sink", "worker"
READY_S = 90.0
POLL_S = 0.05
OURS = ("RINGBACK_", "KAFKA_", "CLICKHOUSE_", "SCHEMA_REGISTRY_")
KEPT = ("RINGBACK_CACHE_DIR", "RINGBACK_MAVEN_REPOSITORY")


class Part(Protocol):
    """What can be killed and started again."""

    log_path: Path

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""

    def alive(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Start it."""


Everything = dict[str, list[Part]]


class Process:
    """A `ringback` process of the run."""

    def __init__(self, parts: Stack, name: str, command: str) -> None:
        self.name = name
        self.ready_file = parts.folder / f"{name}.ready"
        self.log_path = parts.folder / "logs" / f"{name}.log"
        env = environment(parts) | {VARIABLE: str(self.ready_file)}
        env["RINGBACK_METRICS_PORT"] = str(free_port())
        argv = ["env", *(f"--unset={name}" for name in foreign()), sys.executable, "-m", "cli.main", command]
        self._command = Command(argv, self.log_path, env, 30_000)
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self._child.alive() else None

    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid is not None

    def start(self) -> None:
        """Start it; it is ready some time later."""
        self.ready_file.unlink(missing_ok=True)
        self._child = ChildProcess(self._command)

    def stop(self) -> None:
        """Let it end what it does."""
        if self._child is not None:
            self._child.stop()


class Broker:
    """The broker as a part: it is launched, and nobody waits until it answers."""

    def __init__(self, parts: Stack) -> None:
        self._kafka = parts.kafka
        self.start = self._kafka.launch
        self.alive = self._kafka.alive
        self.log_path = self._kafka.log_path

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._kafka.pid


def foreign() -> list[str]:
    """Settings of whoever runs this, which must not decide anything here."""
    return [name for name in os.environ if name.startswith(OURS) and name not in KEPT]


def without_foreign() -> dict[str, str]:
    """Our environment without these."""
    return {name: value for name, value in os.environ.items() if name not in foreign()}


def environment(parts: Stack) -> dict[str, str]:
    """Settings of the processes."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": parts.servers,
        "CLICKHOUSE_URL": parts.clickhouse_url,
        "RINGBACK_DATA_DIR": str(parts.folder),
        "RINGBACK_PARTITIONS": str(PARTITIONS),
    }


@contextmanager
def running(parts: Stack, workers: int) -> Iterator[Everything]:
    """All parts by their kind, ready when the block begins."""
    processes = [Process(parts, f"worker-{number + 1}", "worker") for number in range(workers)]
    sink = Process(parts, "sink", "sink")
    try:
        for process in (*processes, sink):
            process.start()
        wait_ready([*processes, sink])
        yield {WORKER: processes, SINK: [sink], BROKER: [Broker(parts)], CLICKHOUSE: [parts.clickhouse]}
    finally:
        for process in (*processes, sink):
            process.stop()


def wait_ready(processes: Sequence[Process]) -> None:
    """Wait for the ready files. Raises RuntimeError."""
    deadline = time.monotonic() + READY_S
    while not all(process.ready_file.exists() for process in processes):
        for process in processes:
            if not process.alive() or time.monotonic() > deadline:
                raise RuntimeError(f"{process.name} is not ready: {log_tail(process.log_path, 10)}")
        time.sleep(POLL_S)


def kill(part: Part) -> None:
    """kill -9, and start it again once it is gone."""
    if (pid := part.pid) is not None:
        os.kill(pid, signal.SIGKILL)
    while part.alive():
        time.sleep(POLL_S / 10)
    part.start()
