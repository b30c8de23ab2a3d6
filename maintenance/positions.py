"""How far a replay has come, in a file: what was confirmed need not be sent again after an interruption."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from maintenance.history import Position


@dataclass(frozen=True, slots=True)
class Progress:
    """A position, and the counts up to there."""

    position: Position
    sent: int
    refused: int
    unreadable: int


class PositionFile:
    """The file of one replay, told from others by what is read and where it goes to."""

    def __init__(self, folder: Path, identity: Sequence[str]) -> None:
        name = hashlib.blake2b("\0".join(identity).encode(), digest_size=12).hexdigest()
        self.path = folder / "replays" / f"{name}.json"

    def read(self) -> Progress | None:
        """Where it was interrupted; None at the beginning, or where the file cannot be read."""
        try:
            return Progress(**orjson.loads(self.path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, progress: Progress) -> None:
        """Keep how far it is: a crash in here leaves the file of before. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".part")
        beside.write_bytes(orjson.dumps(progress))
        os.replace(beside, self.path)

    def remove(self) -> None:
        """It is done, or begins anew."""
        self.path.unlink(missing_ok=True)
