"""Real data sets that are not part of the repository: tests that need one skip where it is absent."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FEBRUARY = "anonymous-bank-february.txt.gz"
JANUARY = "anonymous-bank-january.txt.gz"


def shared_data(name: str) -> Path:
    """Path of a shared data file; skips the test, with the reason, where it is not there."""
    folder = Path(os.environ.get("RINGBACK_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    path = folder / name
    if not path.is_file():
        pytest.skip(
            f"{path} is absent (real data, not in the repository); set RINGBACK_SHARED_DATA to its folder"
        )
    return path
