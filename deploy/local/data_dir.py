"""The data folder: made for its owner alone, since it holds the key of customers and all events."""

import os
from pathlib import Path

from deploy.local.errors import LocalStackError

OWNER_ALONE = 0o700


def make_private(folder: Path) -> None:
    """Make a data folder, or take the rights of others from one that is there and ours.

    Raises LocalStackError where it cannot be made or is no folder.
    """
    try:
        folder.mkdir(mode=OWNER_ALONE, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            folder.chmod(OWNER_ALONE)
    except OSError as error:
        why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise LocalStackError(
            f"data folder {folder} cannot be used: {why}",
            "make it writable, or set RINGBACK_DATA_DIR to another folder",
        ) from error
