"""Keeps the broker's jars in a folder: downloads what is missing, checks every byte against its pin.

Folder: one file per jar and `verified`, which holds the fingerprint of the list that was checked in full.
A start compares that fingerprint and the sizes (46 stats). A missing or different `verified` makes every
file's sha256 be computed again, and only what fails is fetched. Each file arrives under another name and
is renamed once its sha256 is right, so a reader never sees half a file and a broken download resumes.
"""

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

from deploy.local.errors import LocalStackError
from deploy.local.kafka.pins import KAFKA_VERSION, Jar, fingerprint, sha256_of
from deploy.local.kafka.progress import Advance, download_display
from deploy.local.lock import waiting_lock

MARKER = "verified"
CENTRAL = "Maven Central"
CONNECTIONS = 4
TIMEOUT_S = 20


def ensure_jars(
    folder: Path, jars: tuple[Jar, ...], repository: str | None, progress: Callable[[str], None]
) -> None:
    """Make `folder` hold exactly these jars. `repository` is a mirror's address; None is Maven Central.

    Raises LocalStackError when something is missing and cannot be fetched, or cannot be written.
    """
    if intact(folder, jars):
        return
    lock = folder.with_name(folder.name + ".lock")

    def waiting() -> None:
        progress("waiting for another process that downloads Apache Kafka")

    with waiting_lock(lock, "RINGBACK_CACHE_DIR", waiting):
        if intact(folder, jars):
            return
        try:
            _fill(folder, jars, repository, progress)
        except OSError as error:  # includes every error of requests
            raise _failed(folder, repository, error) from error


def intact(folder: Path, jars: tuple[Jar, ...]) -> bool:
    """Whether all jars were verified once and still have their sizes."""
    try:
        if (folder / MARKER).read_text(encoding="ascii") != fingerprint(jars):
            return False
        return all((folder / jar.filename).stat().st_size == jar.size_bytes for jar in jars)
    except (OSError, UnicodeDecodeError):
        return False


def _fill(
    folder: Path, jars: tuple[Jar, ...], repository: str | None, progress: Callable[[str], None]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).unlink(missing_ok=True)
    missing = [jar for jar in jars if not _is_right(folder / jar.filename, jar)]
    if missing:
        total_bytes = sum(jar.size_bytes for jar in missing)
        title = f"Apache Kafka {KAFKA_VERSION}"
        progress(f"downloading {title} once, {total_bytes / 1e6:.0f} MB, to {folder}")
        with _partial_folder(folder) as partial, download_display(title, total_bytes, progress) as advance:
            _fetch_all(folder, partial, missing, repository, advance)
    partial_marker = folder / (MARKER + ".partial")
    partial_marker.write_text(fingerprint(jars), encoding="ascii")
    partial_marker.replace(folder / MARKER)


@contextlib.contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    # Emptied first: jgo takes any file that lies there for complete, also one that a kill cut short.
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch_all(
    folder: Path, partial: Path, jars: list[Jar], repository: str | None, advance: Advance
) -> None:
    @contextlib.contextmanager
    def count(_filename: str, _size_bytes: int) -> Iterator[Advance]:
        yield advance

    # jgo is a library here: a checksum that differs is our error below, not its warning.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    context = MavenContext(
        resolver=PythonResolver(progress_callback=count),
        repo_cache=partial,
        remote_repos={"mirror": repository.rstrip("/")} if repository else None,
        timeout=TIMEOUT_S,
    )

    def fetch(jar: Jar) -> None:
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        try:
            path = Path(artifact.resolve())
        except RuntimeError as error:  # jgo's answer to every status but 200
            raise FileNotFoundError(f"{jar.filename} is not there") from error
        if not _is_right(path, jar):
            raise OSError(f"{jar.filename} does not have the expected sha256")
        path.replace(folder / jar.filename)

    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="kafka-download")
    try:
        for done in [pool.submit(fetch, jar) for jar in jars]:
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _is_right(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size_bytes and sha256_of(path) == jar.sha256
    except FileNotFoundError:
        return False


def _failed(folder: Path, repository: str | None, error: OSError) -> LocalStackError:
    source = repository or CENTRAL
    # requests wraps the cause ("connection refused", "name not known") in a message of several lines.
    cause = getattr(error.args[0], "reason", error) if error.args else error
    return LocalStackError(
        f"Apache Kafka {KAFKA_VERSION} could not be downloaded from {source} to {folder}: {cause}",
        "check the network and proxy settings, or set RINGBACK_MAVEN_REPOSITORY to a mirror you can reach, "
        "RINGBACK_CACHE_DIR to a folder filled on another machine, "
        "or KAFKA_BOOTSTRAP_SERVERS to a Kafka that already runs",
    )
