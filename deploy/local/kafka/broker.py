"""One Apache Kafka node on loopback, as a child of this process."""

import base64
import contextlib
import fcntl
import time
import uuid
from pathlib import Path

from deploy.local.child import ChildProcess, Command, log_tail
from deploy.local.errors import LocalStackError
from deploy.local.kafka.config import (
    LOG4J2_YAML,
    BrokerFiles,
    format_command,
    server_command,
    server_properties,
)
from deploy.local.kafka.probe import is_usable
from deploy.local.kafka.runtime import KafkaRuntime
from deploy.local.ports import LOOPBACK, free_port, require_free
from deploy.local.supervisor import Handle, Service

READY_LIMIT_MS = 60_000
FORMAT_LIMIT_MS = 60_000
STOP_LIMIT_MS = 15_000
POLL_S = 0.05
METADATA = "__cluster_metadata-0"
PID_NAME = "broker.pid"


class LocalKafka:
    """A broker that keeps its data in `data_dir`/kafka and its log in `data_dir`/logs/kafka.log.

    It ends with the thread that started it (see ChildProcess) and may be started again after `stop`.
    """

    def __init__(self, data_dir: Path, port: int, runtime: KafkaRuntime) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port
        self.runtime = runtime
        self.files = BrokerFiles(self.data_dir / "kafka")
        self._child: ChildProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log_path(self) -> Path:
        """What the broker prints, warnings and worse."""
        return self.data_dir / "logs" / "kafka.log"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self._child.alive() else None

    def start(self, limit_ms: int = READY_LIMIT_MS) -> None:
        """Launch, and return when clients can use the broker.

        Raises LocalStackError as `launch` does, and when the broker ends or takes longer than `limit_ms`.
        """
        self.launch()
        deadline = time.monotonic() + limit_ms / 1000
        try:
            while not self.ready():
                if not self.alive():
                    raise self._failed("ended while it started")
                if time.monotonic() > deadline:
                    raise self._failed(f"was not usable after {limit_ms / 1000:.0f} s")
                time.sleep(POLL_S)
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start the process and return at once, except that a new data folder is formatted first (1 s).

        Raises LocalStackError when the port is taken, the folder is in use or cannot be written, or the
        format fails.
        """
        if self.alive():
            return
        require_usable_path(self.files.log_dir)
        require_unused(self.files)
        require_complete(self.files)
        distrust_damaged_indexes(self.files)
        require_free(self.port, "Kafka", "RINGBACK_KAFKA_PORT")
        self._write_files()
        if not self.files.meta_properties.exists():
            self._format()
        command = Command(
            server_command(self.runtime, self.files), self.log_path, stop_limit_ms=STOP_LIMIT_MS
        )
        self._child = ChildProcess(command)
        (self.files.folder / PID_NAME).write_text(f"{self._child.pid}\n", encoding="ascii")

    def ready(self) -> bool:
        """Whether clients can use the broker now."""
        return self.alive() and is_usable(self.port)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.alive()

    def stop(self) -> None:
        """End the broker: cleanly if it manages within 15 s, else by force."""
        if self._child is not None:
            self._child.stop()

    def service(self) -> Service:
        """This broker as a part for the supervisor."""

        def begin() -> Handle:
            self.launch()
            return self

        def answers() -> bool:
            return is_usable(self.port)

        return Service("kafka", begin, lambda _: self.ready(), READY_LIMIT_MS, self.log_path, answers)

    def _write_files(self) -> None:
        try:
            self.files.log_dir.mkdir(parents=True, exist_ok=True)
            properties = server_properties(self.files.log_dir, self.port, free_port())
            self.files.properties.write_text(properties, encoding="ascii")
            self.files.log4j2.write_text(LOG4J2_YAML, encoding="ascii")
        except OSError as error:
            raise LocalStackError(
                f"data folder {self.files.folder} cannot be used: {error.strerror}",
                "make it writable, or set RINGBACK_DATA_DIR to another folder",
            ) from error

    def _format(self) -> None:
        child = ChildProcess(
            Command(format_command(self.runtime, self.files, new_cluster_id()), self.log_path)
        )
        deadline = time.monotonic() + FORMAT_LIMIT_MS / 1000
        try:
            while child.alive() and time.monotonic() < deadline:
                time.sleep(POLL_S)
        finally:
            child.kill()
        if child.returncode != 0:
            raise self._failed("could not prepare its data folder")

    def _failed(self, what: str) -> LocalStackError:
        return LocalStackError(
            f"the local Kafka {what}; its last words:\n{log_tail(self.log_path) or '(none)'}",
            f"the whole log is {self.log_path}; if its data is damaged and may be lost, remove "
            f"{self.files.folder}, or set RINGBACK_DATA_DIR to another folder",
        )


def new_cluster_id() -> str:
    """A random id as Kafka writes it: 22 characters, the first one no dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text


def require_usable_path(path: Path) -> None:
    """Raise LocalStackError for a path that Kafka's configuration cannot express."""
    if "," in str(path):
        raise LocalStackError(
            f"data folder {path} has a comma in its name, which Kafka reads as two folders",
            "set RINGBACK_DATA_DIR to a folder without a comma",
        )


def require_unused(files: BrokerFiles) -> None:
    """Raise LocalStackError when a broker, perhaps one left over by a killed parent, uses this folder."""
    with contextlib.suppress(FileNotFoundError), (files.log_dir / ".lock").open("r+b") as file:
        try:
            # Kafka holds this POSIX lock while it runs, so a stale file of a dead broker does not count.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LocalStackError(
                f"data folder {files.log_dir} is in use by another Kafka broker, process {_pid_in(files)}",
                "stop that process, or set RINGBACK_DATA_DIR to another folder",
            ) from error


def require_complete(files: BrokerFiles) -> None:
    """Raise LocalStackError where topics are there and what Kafka knows them by is not.

    It would take the folder for a new one, make topics of the same names, and do away with those there are.
    """
    metadata = files.log_dir / METADATA
    topics = [path.name for path in files.log_dir.glob("*-[0-9]*") if path.name != METADATA]
    for path, there in (
        (files.meta_properties, files.meta_properties.exists()),
        (metadata, any(metadata.glob("*.log")) or any(metadata.glob("*.checkpoint"))),
    ):
        if topics and not there:
            raise LocalStackError(
                f"data folder {files.log_dir} has topics, but {path.name} is gone: without it they are lost",
                f"restore {path}; if the data may be lost, remove {files.folder.parent} as a whole, or set "
                "RINGBACK_DATA_DIR to another folder, and import again",
            )


def distrust_damaged_indexes(files: BrokerFiles) -> None:
    """Where an index file has a size that none can have, let Kafka look through its logs as after a crash.

    After a clean stop it would not, take a log for empty, and write over what is there.
    """
    entry = {".index": 8, ".timeindex": 12}
    indexes = [path for path in files.log_dir.glob("*-[0-9]*/*") if path.suffix in entry]
    if any(path.stat().st_size % entry[path.suffix] for path in indexes):
        (files.log_dir / ".kafka_cleanshutdown").unlink(missing_ok=True)


def _pid_in(files: BrokerFiles) -> str:
    with contextlib.suppress(OSError):
        return (files.folder / PID_NAME).read_text(encoding="ascii", errors="replace").strip()
    return "unknown"
