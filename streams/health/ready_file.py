"""A file that says a worker or sink has recovered and takes events: for whoever started the process."""

import os
from pathlib import Path

VARIABLE = "RINGBACK_READY_FILE"


def mark(ready: bool) -> None:
    """Make or remove the file named in RINGBACK_READY_FILE; nothing where the variable is not set."""
    name = os.environ.get(VARIABLE)
    if not name:
        return
    if ready:
        Path(name).touch()
    else:
        Path(name).unlink(missing_ok=True)
