"""A disk that is soon full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A folder for the spool, on a disk of this size where one is asked for: root alone can mount it."""
    folder.mkdir()
    if not size:
        yield folder
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder / "spool"
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
