"""One process per data folder, one download at a time: locks that end with the process that holds them."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.local.errors import LocalStackError

LOCK_NAME = ".lock"
POLL_S = 0.1


@contextlib.contextmanager
def data_dir_lock(data_dir: Path) -> Iterator[None]:
    """Hold a data folder (made if missing) for this process alone.

    Raises LocalStackError when another process holds it, or when the folder cannot be written.
    """
    descriptor = _open(data_dir / LOCK_NAME, "RINGBACK_DATA_DIR")
    try:
        if not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise LocalStackError(
                f"data folder {data_dir} is in use by process {holder}",
                "stop that process, or set RINGBACK_DATA_DIR to another folder",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def waiting_lock(path: Path, setting: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold `path` for this process alone; wait for whoever has it now, calling `waiting` once first.

    Raises LocalStackError, naming `setting`, when the folder cannot be written.
    """
    descriptor = _open(path, setting)
    try:
        if not _try_lock(descriptor):
            waiting()
            while not _try_lock(descriptor):
                time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path, setting: str) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never deleted: removing a lock file while another process opens it would give two holders.
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LocalStackError(
            f"folder {path.parent} cannot be used: {error.strerror}",
            f"make it writable, or set {setting} to another folder",
        ) from error


def _try_lock(descriptor: int) -> bool:
    try:
        # flock belongs to the open file, not to the process, so a second open in one process conflicts too.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
