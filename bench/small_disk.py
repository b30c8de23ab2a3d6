"""A disk that is soon full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A disk of this size at a folder. Raises CalledProcessError or OSError without root."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A folder for the spool, on a disk of this size where one is asked for."""
    folder.mkdir()
    if not size:
        yield folder
        return
    with mounted(folder, size):
        yield folder / "spool"
