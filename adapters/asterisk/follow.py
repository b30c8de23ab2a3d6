"""Following a live queue_log: what is remembered of open calls is kept together with the position.

Both are one file that is replaced as a whole, after the events have been sent. A crash before that sends the
same events again, with the same ids: nothing is lost, and nothing counts twice.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from adapters.app_queue.facts import decoded
from adapters.app_queue.log import SOURCE, Log
from adapters.app_queue.reading import read_fact
from adapters.app_queue.state import State
from adapters.asterisk.lines import EPOCH, FIELDS, parse_line
from adapters.kit.follow import Follower, Position
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject
from schemas.dead_letter import LINES_LOST, DeadLetter

AnyKept = TypeVar("AnyKept")


@dataclass
class Kept:
    """What is on disk between two runs; `lines` were read in all."""

    position: Position | None = None
    state: State = field(default_factory=State)
    lines: int = 0


KEPT = TypeAdapter(Kept)
GONE = "lines before this one are lost: their file was gone before it was read"


def time_of(line: bytes) -> int | None:
    """The time of a line of queue_log; None of anything else."""
    cells = decoded(line).split("|")
    return int(cells[0]) if len(cells) >= FIELDS and EPOCH.fullmatch(cells[0]) else None


def lost(position: int, detail: str) -> DeadLetter:
    """The dead letter of lines that nobody has read. It names the source: source_health counts them by it."""
    return reject(SOURCE, position, InvalidInput(LINES_LOST, detail), b"")


def load(path: Path, kind: TypeAdapter[AnyKept], nothing: AnyKept) -> AnyKept:
    """What was kept; nothing where there is no such file. Raises WrongFile where it cannot be read."""
    try:
        return kind.validate_json(path.read_bytes())
    except FileNotFoundError:
        return nothing
    except ValidationError:
        raise WrongFile(
            f"{path} is no position of `ringback follow`; remove it to begin anew: nothing counts twice"
        ) from None


def save(path: Path, data: bytes) -> None:
    """Keep it durably: the file is there whole, as it was before or as it is now."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Following:
    """The outcomes of a log's lines as they come. Call `keep` once what `poll` gave is safe."""

    def __init__(self, path: Path, kept: Path, secret: bytes) -> None:
        before = load(kept, KEPT, Kept())
        self._kept, self._lines = kept, before.lines
        self._log = Log(secret, state=before.state)
        self._follower = Follower(path, time_of, before.position)

    away = False  # a file that is not there yet has been read to its end

    @property
    def gaps(self) -> int:
        """How often lines were lost: their file was gone before it was read."""
        return self._follower.gaps

    def poll(self) -> Iterator[LineOutcome]:
        """The outcomes of the lines that have come; of lines that are lost a dead letter says so."""
        gaps = self._follower.gaps
        for data in self._follower.poll():
            self._lines += 1
            if self._follower.gaps > gaps:
                gaps = self._follower.gaps
                yield lost(self._lines, f"{self._follower.path.name}: {GONE}")
            if data.strip():
                yield self._outcome(data)

    def _outcome(self, data: bytes) -> LineOutcome:
        try:
            told = read_fact(self._log, parse_line(data))
        except InvalidInput as refused:
            return reject(self._follower.path.name, self._lines, refused, data)
        return Skipped(self._lines, told) if isinstance(told, str) else Accepted(self._lines, told, 0)

    def keep(self) -> None:
        """Keep how far was read, durably."""
        save(self._kept, KEPT.dump_json(Kept(self._follower.position, self._log.state, self._lines)))

    def close(self) -> None:
        """Let go of the log."""
        self._follower.close()
