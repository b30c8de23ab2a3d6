"""Text of the broker's configuration files, and its command lines. Pure functions."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka.runtime import KafkaRuntime
from deploy.local.ports import LOOPBACK

NODE_ID = 1

# One node keeps one copy of everything; few partitions because each costs files and start-up time.
# Session and heartbeat: after kill -9 the dead registration must time out before the broker is let in
# again, which takes 12 s with the defaults of 9 s and 2 s.
# Retention: set per topic; consumer offsets stay as long as the records they point to, so that a folder
# untouched for a week does not start over. The cleaner's buffer is 128 MB by default, a third of our heap.
# Requests: Kafka sets memory aside for what a connection announces, 100 MB if nobody forbids it: five of them
# were more than the heap. Our own largest record has 10 MiB. What waits in all queues is limited as well.
FIXED_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "offsets.retention.minutes": "5256000",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.retention.hours": "-1",
    # Topics of version 0.1 are dated by their senders, whose clocks may be ahead.
    "log.message.timestamp.after.max.ms": str(2**63 - 1),
    "log.cleaner.dedupe.buffer.size": "16777216",
    "socket.request.max.bytes": str(16 * 1024 * 1024),
    "queued.max.request.bytes": str(128 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
}

JVM_OPTIONS = (
    "-Xms96m",
    "-Xmx400m",
    "-XX:+UseSerialGC",
    # Compiled once, and quickly: the second compiler took a third of the CPU of a broker's first minutes.
    "-XX:TieredStopAtLevel=1",
    # Compact headers need Java 25; an older JAVA_HOME must start too.
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:+UseCompactObjectHeaders",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
)

# The hook would stop logging at SIGTERM, before the broker's own shutdown has said what went wrong.
LOG4J2_YAML = """\
Configuration:
  status: WARN
  shutdownHook: disable
  Appenders:
    Console:
      name: stdout
      PatternLayout:
        pattern: "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %p %c{1} %m%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: stdout
"""


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where one broker keeps its things: everything lies below `folder`."""

    folder: Path

    @property
    def log_dir(self) -> Path:
        """Kafka's own data."""
        return self.folder / "data"

    @property
    def properties(self) -> Path:
        """server.properties."""
        return self.folder / "server.properties"

    @property
    def log4j2(self) -> Path:
        """Logging configuration."""
        return self.folder / "log4j2.yaml"

    @property
    def meta_properties(self) -> Path:
        """Exists once the folder is formatted."""
        return self.log_dir / "meta.properties"


def server_properties(log_dir: Path, port: int, controller_port: int) -> str:
    """Text of server.properties for one loopback node."""
    properties = {
        **FIXED_PROPERTIES,
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "log.dirs": escaped(str(log_dir)),
    }
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def escaped(value: str) -> str:
    """A value as Java's Properties reads it back: backslashes doubled, the rest beyond ASCII as \\uXXXX."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2)]
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)


def format_command(runtime: KafkaRuntime, files: BrokerFiles, cluster_id: str) -> list[str]:
    """Command that prepares an empty data folder."""
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(files.properties)]
    return [*_java(runtime, files), *tool]


def server_command(runtime: KafkaRuntime, files: BrokerFiles) -> list[str]:
    """Command that runs the broker."""
    return [*_java(runtime, files), "kafka.Kafka", str(files.properties)]


def _java(runtime: KafkaRuntime, files: BrokerFiles) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={files.log4j2.as_uri()}"
    return [str(runtime.java), *JVM_OPTIONS, *runtime.jvm_options, logging, "-cp", runtime.classpath]
