"""Keeps the broker's jars in a folder: downloads what is missing, checks every byte against its pin.

pooch fetches each file under another name, checks its sha256 and renames it. So a reader never sees half a
file, and a download that was broken off goes on with the files that are still missing.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pooch

from deploy.local.errors import LocalStackError
from deploy.local.kafka.pins import KAFKA_VERSION, Jar
from deploy.local.kafka.progress import Advance, PartOfDownload, download_display
from deploy.local.lock import waiting_lock

CENTRAL = "https://repo1.maven.org/maven2"
CONNECTIONS = 4
RETRIES = 1
TIMEOUT_S = 20
CHUNK_BYTES = 1 << 16


def ensure_jars(
    folder: Path, jars: tuple[Jar, ...], repository: str | None, progress: Callable[[str], None]
) -> None:
    """Make `folder` hold these jars. `repository` is a mirror's address; None is Maven Central.

    Raises LocalStackError when something is missing and cannot be fetched, or cannot be written.
    """
    if intact(folder, jars):
        return

    def waiting() -> None:
        progress("waiting for another process that downloads Apache Kafka")

    with waiting_lock(folder.with_name(folder.name + ".lock"), "RINGBACK_CACHE_DIR", waiting):
        missing = [jar for jar in jars if not _is_right(folder, jar)]
        try:
            if missing:
                _fetch(folder, missing, repository or CENTRAL, progress)
        except (OSError, ValueError) as error:  # every error of requests, and pooch's of a wrong sha256
            raise _failed(folder, repository, error) from error


def intact(folder: Path, jars: tuple[Jar, ...]) -> bool:
    """Whether all jars are there and have the right bytes (0.07 s for the 45 MB of Kafka)."""
    return all(_is_right(folder, jar) for jar in jars)


def _is_right(folder: Path, jar: Jar) -> bool:
    try:
        return bool(pooch.file_hash(str(folder / jar.filename)) == jar.sha256)
    except OSError:
        return False


def _fetch(folder: Path, jars: list[Jar], repository: str, progress: Callable[[str], None]) -> None:
    for left in folder.glob("tmp*"):  # of a download that was killed
        left.unlink()
    total_bytes = sum(jar.size_bytes for jar in jars)
    title = f"Apache Kafka {KAFKA_VERSION}"
    progress(f"downloading {title} once, {total_bytes / 1e6:.0f} MB, to {folder}")
    pooch.get_logger().setLevel("ERROR")  # it would print a line for each file
    with download_display(title, total_bytes, progress) as advance:
        _fetch_all(_keeper(folder, jars, repository), jars, advance)


def _keeper(folder: Path, jars: list[Jar], repository: str) -> pooch.Pooch:
    return pooch.create(
        folder,
        base_url="",
        registry={jar.filename: f"sha256:{jar.sha256}" for jar in jars},
        urls={jar.filename: f"{repository.rstrip('/')}/{jar.path}" for jar in jars},
        retry_if_failed=RETRIES,
    )


def _fetch_all(keeper: pooch.Pooch, jars: list[Jar], advance: Advance) -> None:
    def fetch(jar: Jar) -> None:
        part = PartOfDownload(advance)
        keeper.fetch(jar.filename, downloader=pooch.HTTPDownloader(part, CHUNK_BYTES, timeout=TIMEOUT_S))

    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="kafka-download")
    try:
        for done in [pool.submit(fetch, jar) for jar in jars]:
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _failed(folder: Path, repository: str | None, error: Exception) -> LocalStackError:
    # requests wraps the cause ("connection refused", "name not known") in a message of several lines.
    cause = getattr(error.args[0], "reason", error) if error.args else error
    return LocalStackError(
        f"Apache Kafka {KAFKA_VERSION} could not be downloaded from {repository or 'Maven Central'} "
        f"to {folder}: {cause}",
        "check the network and proxy settings, or set RINGBACK_MAVEN_REPOSITORY to a mirror you can reach, "
        "RINGBACK_CACHE_DIR to a folder filled on another machine, "
        "or KAFKA_BOOTSTRAP_SERVERS to a Kafka that already runs",
    )
