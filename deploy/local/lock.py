"""One process per data folder, one download at a time: locks that end with the process that holds them."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from deploy.local.errors import LocalStackError

LOCK_NAME = ".lock"
POLL_S = 0.1


@contextlib.contextmanager
def data_dir_lock(data_dir: Path) -> Iterator[None]:
    """Hold a data folder (made if missing) for this process alone.

    Raises LocalStackError when another process holds it, or when the folder cannot be written.
    """
    path = data_dir / LOCK_NAME

    def refuse() -> None:
        holder = path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
        raise LocalStackError(
            f"data folder {data_dir} is in use by process {holder}",
            "stop that process, or set RINGBACK_DATA_DIR to another folder",
        )

    with waiting_lock(path, "RINGBACK_DATA_DIR", refuse):
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
        yield


@contextlib.contextmanager
def waiting_lock(path: Path, setting: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold `path` for this process alone; wait for whoever has it now, calling `waiting` once first.

    Raises LocalStackError, naming `setting`, when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never deleted, and never a lock of another kind, which a process that was killed would leave behind.
        lock = FileLock(path, preserve_lock_file=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waiting()
            lock.acquire(poll_interval=POLL_S)
    except OSError as error:
        raise LocalStackError(
            f"folder {path.parent} cannot be used: {error.strerror}",
            f"make it writable, or set {setting} to another folder",
        ) from error
    try:
        yield
    finally:
        lock.release()
