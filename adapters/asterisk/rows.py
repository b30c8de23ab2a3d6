"""Following queue_log as a table, row by row in the order of their ids.

The database is opened for reading alone. What is remembered of open calls is kept together with the last row,
as of a file. A server gives an id out before others can see its row, so where one is missing we wait; else a
row that comes into sight late would be passed over.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from adapters.app_queue.log import Log
from adapters.app_queue.reading import read_fact
from adapters.app_queue.state import State
from adapters.asterisk.databases import ROWS, NotNow, Rows, database_at, is_address
from adapters.asterisk.follow import Following, load, lost, save
from adapters.asterisk.table import Table
from adapters.kit.follow import hashed
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, reject

log = structlog.get_logger()
MAGIC = b"SQLite format 3\0"
DELETED = "the last row that was read is gone, and {} ids behind it: deleted unread, unless nobody used them"
HOLE_S = 2.0  # until a missing id counts as one that nobody will use: a row rolled back or deleted


@dataclass
class KeptRows:
    """What is on disk between two runs: the last row by its id and a hash, and the latest time."""

    row: int = 0
    said: str = ""
    last_ms: int = 0
    state: State = field(default_factory=State)


KEPT = TypeAdapter(KeptRows)


def following(place: str | Path, kept: Path, secret: bytes) -> "Following | FollowingRows":
    """What reads a live queue_log: a file of lines, or a table. Raises WrongFile, OSError."""
    if is_address(str(place)):
        return FollowingRows(str(place), kept, secret)
    with Path(place).open("rb") as file:
        is_table = file.read(len(MAGIC)) == MAGIC
    return FollowingRows(str(place), kept, secret) if is_table else Following(Path(place), kept, secret)


def written(cells: Sequence[object]) -> tuple[list[str], bytes]:
    """The cells of a row as texts, and all of them as one line."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    return texts, "|".join(texts).encode("utf-8", "replace")


class FollowingRows:
    """The outcomes of a table's rows as they come. Call `keep` once what `poll` gave is safe."""

    def __init__(self, place: str | Path, kept: Path, secret: bytes, hole_s: float = HOLE_S) -> None:
        self._kept, self._hole_s = kept, hole_s
        self._at = load(kept, KEPT, KeptRows())
        self._log = Log(secret, state=self._at.state)
        self._rows = Rows(database_at(str(place)))
        self._table = Table(self._rows.names, self._at.last_ms)
        self.away = False  # the database does not answer
        self._beheaded = False  # the last row that was read is there no more
        self.gaps = 0  # how often rows behind it were gone as well

    def poll(self) -> Iterator[LineOutcome]:
        """The outcomes of the rows that have come; none while they cannot be read. Raises WrongFile."""
        while found := self._news():
            if self._beheaded and found[0][0] > self._at.row + 1:
                self.gaps += 1
                deleted = DELETED.format(found[0][0] - self._at.row - 1)
                yield lost(found[0][0], f"{self._rows.table}: {deleted}")
            for number, *cells in found:
                texts, data = written(cells)
                outcome = self._outcome(number, texts, data)
                self._at.row, self._at.said = number, hashed(data)
                yield outcome

    def _news(self) -> list[tuple[Any, ...]]:
        """The next rows, in the order of their ids."""
        try:
            if self._made_anew():
                self._at.row, self._at.said, self._beheaded = 0, "", False
            found = self._rows.after(self._at.row)
            if self._rows.holes and found and found[-1][0] - self._at.row > len(found):
                found = self._without_holes(found)
        except NotNow as error:
            if self._rows.holes and not self.away:  # of a file it is a lock, which is gone in a moment
                log.warning("the database of queue_log cannot be read now", error=str(error))
            self.away = True
            return []
        self.away = False
        return found

    def _without_holes(self, found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Those before which no row is on its way any more: with many behind them, or seen a while ago."""
        if len(found) == ROWS:
            return found[: ROWS // 2]
        time.sleep(self._hole_s)
        return [row for row in self._rows.after(self._at.row) if row[0] <= found[-1][0]]

    def _made_anew(self) -> bool:
        """Was the table emptied, so that ids begin again? What is read twice counts once."""
        self._beheaded = False
        if not self._at.row:
            return False
        row = self._rows.row(self._at.row)
        self._beheaded = row is None
        if row is None:
            last = self._rows.last()
            return last is not None and last < self._at.row
        return hashed(written(row[1:])[1]) != self._at.said

    def _outcome(self, number: int, cells: list[str], data: bytes) -> LineOutcome:
        try:
            told = read_fact(self._log, self._table.fact(cells))
        except InvalidInput as refused:
            return reject(self._rows.table, number, refused, data)
        return Skipped(number, told) if isinstance(told, str) else Accepted(number, told, 0)

    def keep(self) -> None:
        """Keep how far was read, durably."""
        self._at.last_ms, self._at.state = self._table.last_ms, self._log.state
        save(self._kept, KEPT.dump_json(self._at))

    def close(self) -> None:
        """Let go of the database."""
        self._rows.close()
