"""Which jars make up the local broker, and how each is checked."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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


def sha256_of(path: Path) -> str:
    """Checksum of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(jars: tuple[Jar, ...]) -> str:
    """One checksum over a whole list, so that a cache filled for another list is noticed."""
    return hashlib.sha256("\n".join(jar.sha256 for jar in jars).encode()).hexdigest()
