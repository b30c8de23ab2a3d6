"""The local stack as `up` and `demo` run it: Kafka and ClickHouse where none is given, workers, a sink."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.console import err
from cli.port_offsets import SINK_PORT_OFFSET
from cli.settings import Settings
from deploy.local.child import ChildProcess, Command
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.data_dir import make_private
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.lock import data_dir_lock
from deploy.local.ports import LOOPBACK
from deploy.local.pulse import http_answers
from deploy.local.supervisor import Handle, Service, Supervisor, stop_on_signals
from sinks.connection import without_secret
from streams.health.ready_file import VARIABLE


def say(line: str) -> None:
    """A line of progress, on stderr."""
    err.print(line, highlight=False, markup=False)


def kafka_service(settings: Settings) -> Service:
    """A local Apache Kafka, downloaded the first time."""
    cache = settings.cache_dir or default_cache_dir()
    runtime = ensure_runtime(cache, settings.maven_repository, say)
    return LocalKafka(settings.data_dir, settings.kafka_port, runtime).service()


def clickhouse_service(settings: Settings) -> Service:
    """The embedded ClickHouse."""
    embedded = LocalClickHouse(
        settings.data_dir,
        settings.clickhouse_port,
        settings.clickhouse_host,
        [name.strip() for name in settings.clickhouse_allowed_hosts.split(",") if name.strip()],
    )

    def start() -> Handle:
        embedded.start()
        return embedded

    def answers() -> bool:
        # One that is busy refuses; one that hangs says nothing.
        return http_answers(LOOPBACK, settings.clickhouse_port, "/ping", lambda status: True)

    return Service("clickhouse", start, log_path=embedded.log_path, answers=answers)


def ringback_service(settings: Settings, command: str, name: str, port: int) -> Service:
    """A `ringback` process of our own, ready when it says so by its ready file; metrics by `port`."""
    logs = settings.data_dir.resolve() / "logs"
    ready = logs / f"{name}.ready"
    env = {VARIABLE: str(ready), "RINGBACK_METRICS_PORT": str(port), **environment(settings)}
    served_at = port + (SINK_PORT_OFFSET if command == "sink" else 0)
    run = Command([sys.executable, "-P", "-m", "cli.main", command], Path(logs / f"{name}.log"), env, 30_000)

    def start() -> Handle:
        ready.unlink(missing_ok=True)
        return ChildProcess(run)

    def answers() -> bool:
        return http_answers(settings.metrics_host, served_at, "/health", lambda status: status == 200)

    return Service(name, start, ready=lambda _: ready.exists(), log_path=run.log_path, answers=answers)


def alerts_service(settings: Settings, clock: str) -> Service:
    """The evaluator of alerts. Nothing waits for it: events flow without it."""
    logs = settings.data_dir.resolve() / "logs"
    command = [sys.executable, "-P", "-m", "cli.main", "alerts", "run", "--clock", clock]
    run = Command(command, Path(logs / "alerts.log"), environment(settings), 15_000)
    return Service("alerts", lambda: ChildProcess(run), log_path=run.log_path)


def environment(settings: Settings) -> dict[str, str]:
    """Settings of our own processes."""
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "RINGBACK_CLICKHOUSE_HOST": settings.clickhouse_host,
        "RINGBACK_CLICKHOUSE_PORT": str(settings.clickhouse_port),
        "RINGBACK_DATA_DIR": str(settings.data_dir.resolve()),
    }
    # The password of the embedded one is in a file, which may not be there yet; they read it themselves.
    if settings.clickhouse_url:
        env["CLICKHOUSE_URL"] = settings.clickhouse_url
    return env


def services(settings: Settings, workers: int, clock: str = "wall") -> list[Service]:
    """All parts in the order they start; what is configured elsewhere is left out. No workers: no sink.

    `clock` tells the alerts the time, see `ringback alerts run`.
    """
    parts = [] if settings.kafka_bootstrap_servers else [kafka_service(settings)]
    parts += [] if settings.clickhouse_url else [clickhouse_service(settings)]
    if not workers:
        return parts
    base = settings.metrics_port  # the sink itself goes far enough above it
    parts += [ringback_service(settings, "worker", f"worker-{n + 1}", base + n) for n in range(workers)]
    parts.append(ringback_service(settings, "sink", "sink", base))
    return [*parts, alerts_service(settings, clock)]


@contextmanager
def stack(settings: Settings, workers: int, clock: str = "wall") -> Iterator[Supervisor]:
    """The local stack, started and ready; stops in reverse order at the end. Raises LocalStackError.

    Without workers only Kafka and ClickHouse, where they are not configured elsewhere.
    """
    make_private(settings.data_dir)
    with data_dir_lock(settings.data_dir):
        supervisor = Supervisor(services(settings, workers, clock), say)
        with stop_on_signals(supervisor):
            supervisor.start()
            try:
                yield supervisor
            finally:
                supervisor.stop()


def addresses(settings: Settings) -> str:
    """The line that scripts wait for."""
    return f"ready kafka={settings.bootstrap_servers} clickhouse={without_secret(settings.clickhouse)}"
