"""What the broker runs on: a Java and the jars, fetched once into the user's cache folder."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka.download import ensure_jars
from deploy.local.kafka.java import find_java
from deploy.local.kafka.pins import KAFKA_VERSION, pinned_jars


@dataclass(frozen=True, slots=True)
class KafkaRuntime:
    """Path of the `java` program, and the class path of Apache Kafka."""

    java: Path
    classpath: str


def default_cache_dir() -> Path:
    """Where this platform keeps a user's caches, plus `ringback`."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured) / "ringback"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ringback"
    return Path.home() / ".cache" / "ringback"


def ensure_runtime(
    cache_dir: Path, maven_repository: str | None, progress: Callable[[str], None]
) -> KafkaRuntime:
    """Find Java, and download Apache Kafka (44 MB) into `cache_dir` unless it is there already.

    `maven_repository` is the address of a mirror, None for Maven Central; a filled cache needs no network.
    Safe in several processes at once. `progress` gets plain lines; a terminal on stderr shows a bar instead.
    Raises LocalStackError when there is no Java or the download fails.
    """
    java = find_java()
    folder = cache_dir.expanduser().absolute() / f"kafka-{KAFKA_VERSION}"
    ensure_jars(folder, pinned_jars(), maven_repository, progress)
    return KafkaRuntime(java=java, classpath=str(folder / "*"))
