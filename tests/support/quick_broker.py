"""Brokers that start sooner: a folder that is formatted already, and Java's cache of Kafka's loaded classes.

A broker of a test lives for seconds and would spend four seconds of CPU on being made and started; with both
it is a little over one. That a folder is formatted is tested with `ringback up` and in test_local_kafka.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from deploy.local.kafka.broker import LocalKafka, new_cluster_id
from deploy.local.kafka.config import JVM_OPTIONS, BrokerFiles, server_command
from deploy.local.kafka.probe import is_usable
from deploy.local.kafka.runtime import KafkaRuntime, default_cache_dir
from deploy.local.ports import free_port

OPTIONS = "JAVA_TOOL_OPTIONS"
GIVEN = os.environ.get(OPTIONS, "")
RECORD_LIMIT_S = 120
# Compiled adapters are not kept: Java 25.0.2 finds some of them under other names. What it says of the cache
# would stand in logs that tests read.
QUIET = (
    " -XX:+UnlockDiagnosticVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching -Xlog:aot*=off -Xlog:cds*=off"
)


def prepare(data_dir: Path, runtime: KafkaRuntime) -> None:
    """Give a stack's folder a formatted broker of its own, and let Java use its cache."""
    files = BrokerFiles(data_dir / "kafka")
    if files.folder.exists():
        return
    shutil.copytree(formatted(runtime), files.folder)
    if (kept := cache_of(runtime)).exists():  # perhaps recorded by another process meanwhile
        os.environ[OPTIONS] = f"{GIVEN} -XX:AOTCache={kept}{QUIET}"
    lines = files.meta_properties.read_text().splitlines()
    own = [f"cluster.id={new_cluster_id()}" if line.startswith("cluster.id=") else line for line in lines]
    files.meta_properties.write_text("\n".join(own) + "\n")


@cache
def formatted(runtime: KafkaRuntime) -> Path:
    """The folder of a broker that has run once, and has no topics."""
    folder = Path(tempfile.mkdtemp(prefix="ringback-broker-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    kafka = LocalKafka(folder, free_port(), runtime)
    kafka.start()
    kafka.stop()
    record_classes(kafka)
    return kafka.files.folder


def record_classes(kafka: LocalKafka) -> None:
    """Make the cache where there is none yet, and nobody else is at it."""
    kept = cache_of(kafka.runtime)
    with only_one(kept.with_suffix(".lock")) as ours:
        if ours and not kept.exists():
            record(kafka, kept)


def cache_of(runtime: KafkaRuntime) -> Path:
    """Where the cache of this Java and this Kafka is, or would be."""
    release = runtime.java.parents[1] / "release"
    made_of = (release.read_text(), runtime.classpath, JVM_OPTIONS, GIVEN)
    name = hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]
    return default_cache_dir() / "tests" / f"kafka-{name}.aot"


@contextmanager
def only_one(lock: Path) -> Iterator[bool]:
    """Are we the only process in here? Others go on without waiting."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def record(kafka: LocalKafka, kept: Path) -> None:
    """Run a broker, and have Java write down at its end which classes it had. Older Javas cannot."""
    unfinished = kept.with_suffix(".unfinished")
    given = os.environ | {OPTIONS: f"{GIVEN} -XX:AOTCacheOutput={unfinished}{QUIET}"}
    command = server_command(kafka.runtime, kafka.files)
    running = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + RECORD_LIMIT_S
        while running.poll() is None and time.monotonic() < until and not is_usable(kafka.port):
            time.sleep(0.1)
        running.terminate()
        with suppress(subprocess.TimeoutExpired):  # then there is no cache
            running.wait(RECORD_LIMIT_S)
    finally:
        running.kill()
        running.wait()
    if unfinished.exists():
        unfinished.rename(kept)
