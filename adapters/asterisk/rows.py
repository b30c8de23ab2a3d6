"""Following queue_log as a table in SQLite (res_config_sqlite3), row by row in the order of their ids.

The database is opened for reading alone. What is remembered of open calls is kept together with the last row,
as of a file. Of other databases the table is exported as CSV and imported.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pydantic import TypeAdapter

from adapters.app_queue.log import Log
from adapters.app_queue.reading import read_fact
from adapters.app_queue.state import State
from adapters.asterisk.follow import Following, load, save
from adapters.asterisk.table import COLUMNS, DATA, Table
from adapters.kit.follow import hashed
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject

MAGIC = b"SQLite format 3\0"
NAME = "queue_log"
ROWS = 1_000
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
LOCK_S = 0.1  # that another program may keep it from us in one look


@dataclass
class KeptRows:
    """What is on disk between two runs: the last row by its id and a hash, and the latest time."""

    row: int = 0
    said: str = ""
    last_ms: int = 0
    state: State = field(default_factory=State)


KEPT = TypeAdapter(KeptRows)


def following(path: Path, kept: Path, secret: bytes) -> "Following | FollowingRows":
    """What reads a live queue_log: a file of lines, or a table. Raises WrongFile, OSError."""
    with path.open("rb") as file:
        is_table = file.read(len(MAGIC)) == MAGIC
    return FollowingRows(path, kept, secret) if is_table else Following(path, kept, secret)


def written(cells: Sequence[object]) -> tuple[list[str], bytes]:
    """The cells of a row as texts, and all of them as one line."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    return texts, "|".join(texts).encode("utf-8", "replace")


class FollowingRows:
    """The outcomes of a table's rows as they come. Call `keep` once what `poll` gave is safe."""

    gap = False  # rows that were deleted before they were read leave no trace

    def __init__(self, path: Path, kept: Path, secret: bytes) -> None:
        self._path, self._kept = path, kept
        self._at = load(kept, KEPT, KeptRows())
        self._log = Log(secret, state=self._at.state)
        self._database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", LOCK_S, uri=True)
        self._names = self._columns()
        self._table = Table(self._names, self._at.last_ms)
        self._select = f"SELECT rowid, {', '.join(self._names)} FROM {NAME}"  # noqa: S608 -- names are ours

    def _columns(self) -> list[str]:
        """The columns that are there, of those that we know. Raises WrongFile."""
        try:
            there = {row[1].lower() for row in self._database.execute(f"PRAGMA table_info({NAME})")}
        except sqlite3.DatabaseError as error:
            raise WrongFile(f"{self._path} cannot be read as a database: {error}") from None
        if not there >= {*COLUMNS}:
            raise WrongFile(f"{self._path} has no table {NAME} with the columns {', '.join(COLUMNS)}")
        return [name for name in (*COLUMNS, *DATA, "data") if name in there]

    def poll(self) -> Iterator[LineOutcome]:
        """The outcomes of the rows that have come; none while the database is locked. Raises WrongFile."""
        while True:
            try:
                if self._made_anew():
                    self._at.row, self._at.said = 0, ""
                query = f"{self._select} WHERE rowid > ? ORDER BY rowid LIMIT {ROWS}"
                found = self._database.execute(query, (self._at.row,)).fetchall()
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF in LOCKED:
                    return
                raise WrongFile(f"{self._path} can no longer be read: {error}") from None
            for number, *cells in found:
                texts, data = written(cells)
                outcome = self._outcome(number, texts, data)
                self._at.row, self._at.said = number, hashed(data)
                yield outcome
            if not found:
                return

    def _made_anew(self) -> bool:
        """Was the table emptied, so that ids begin again? What is read twice counts once."""
        if not self._at.row:
            return False
        row = self._database.execute(f"{self._select} WHERE rowid = ?", (self._at.row,)).fetchone()
        if row is None:
            (last,) = self._database.execute(f"SELECT max(rowid) FROM {NAME}").fetchone()  # noqa: S608
            return last is not None and last < self._at.row
        return hashed(written(row[1:])[1]) != self._at.said

    def _outcome(self, number: int, cells: list[str], data: bytes) -> LineOutcome:
        try:
            told = read_fact(self._log, self._table.fact(cells))
        except InvalidInput as refused:
            return reject(self._path.name, number, refused, data)
        return Skipped(number, told) if isinstance(told, str) else Accepted(number, told, 0)

    def keep(self) -> None:
        """Keep how far was read, durably."""
        self._at.last_ms, self._at.state = self._table.last_ms, self._log.state
        save(self._kept, KEPT.dump_json(self._at))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
