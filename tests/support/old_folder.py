"""The data folder that version 0.1 left, see tests/data/README.md."""

import json
import tarfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
EVENTS = DATA / "version_0_1_events.jsonl"
PARTITIONS = 2


def unpack_folder(into: Path) -> Path:
    """A copy of the folder, below `into`."""
    with tarfile.open(DATA / "version_0_1_folder.tar.xz") as archive:
        archive.extractall(into, filter="data")
    return into / "folder"


def what_it_said() -> dict[str, Any]:
    """Commands, and what version 0.1 printed to each."""
    said: dict[str, Any] = json.loads((DATA / "version_0_1_said.json").read_bytes())
    return said
