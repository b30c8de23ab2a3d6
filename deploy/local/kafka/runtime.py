"""What the broker runs on: a Java and the jars, fetched once into the user's cache folder."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from deploy.local.errors import LocalStackError
from deploy.local.kafka.download import ensure_jars
from deploy.local.kafka.java import find_java, major_version
from deploy.local.kafka.pins import KAFKA_VERSION, pinned_jars


@dataclass(frozen=True, slots=True)
class KafkaRuntime:
    """Path of the `java` program, the class path of Apache Kafka, options that only this Java knows."""

    java: Path
    classpath: str
    jvm_options: tuple[str, ...] = ()


def default_cache_dir() -> Path:
    """Where this platform keeps a user's caches, plus `ringback`."""
    return user_cache_path("ringback")


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
    if os.pathsep in str(folder):
        raise LocalStackError(
            f"cache folder {folder} has a '{os.pathsep}' in its name, which Java reads as two folders",
            f"set RINGBACK_CACHE_DIR to a folder without '{os.pathsep}'",
        )
    jars = pinned_jars()
    ensure_jars(folder, jars, maven_repository, progress)
    # Named one by one: a jar that an earlier release left in the folder must not slip in.
    classpath = os.pathsep.join(str(folder / jar.filename) for jar in jars)
    return KafkaRuntime(java, classpath, jvm_options(major_version(java.parents[1])))


def jvm_options(major: int | None) -> tuple[str, ...]:
    """Options for one version of Java: from 24 on it would print four lines about Kafka's use of Unsafe."""
    return ("--sun-misc-unsafe-memory-access=allow",) if major is not None and major >= 24 else ()
