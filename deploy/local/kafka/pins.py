"""Which jars make up the local broker, and how each is checked."""

from dataclasses import dataclass

from deploy.local.kafka.jars import JARS

KAFKA_VERSION = "4.3.1"

# Kafka logs through SLF4J 1.7 and its published POM names no binding: without this one nothing is logged.
LOGGING_BRIDGE = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a Maven repository and the checksum it must have."""

    group: str
    artifact: str
    version: str
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """Name of the file in the repository and in our cache."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where a Maven repository has the file."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.filename}"


def parse_jars(text: str) -> tuple[Jar, ...]:
    """Read lines of `sha256 size_bytes group:artifact:version`."""
    jars = []
    for line in text.split("\n"):
        if line:
            sha256, size_bytes, coordinate = line.split(" ")
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, int(size_bytes), sha256))
    return tuple(jars)


def pinned_jars() -> tuple[Jar, ...]:
    """Every jar of the broker."""
    return parse_jars(JARS)
