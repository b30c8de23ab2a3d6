"""Silences: for a time nobody is told of alerts with certain labels. Evaluated is all the same."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from alerts.ledger import Ledger
from schemas.time_units import DAY_MS

LONGEST_MS = 7 * DAY_MS
TABLE = """CREATE TABLE IF NOT EXISTS silence (
    id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
    author TEXT NOT NULL, comment TEXT NOT NULL, made_at INTEGER NOT NULL
)"""


@dataclass(frozen=True, slots=True)
class Silence:
    """Who silenced what, from when to when, and why. All matchers must match; times are UTC ms."""

    id: str
    matchers: dict[str, str]
    starts: int
    ends: int
    author: str
    comment: str

    def matches(self, alert: str, labels: Mapping[str, str]) -> bool:
        """Is it about this alert? `alert` is the rule's name; a label that is not there matches nothing."""
        own = {**labels, "alert": alert}
        return all(own.get(name) == value for name, value in self.matchers.items())


Row = tuple[str, str, int, int, str, str, int]  # as the table has it
ASKED = "asked"  # what names a silence in the ledger's topic, whoever made it there


def new_row(matchers: Mapping[str, str], starts: int, ends: int, author: str, comment: str, now: int) -> Row:
    """A silence that nobody knows yet. Raises ValueError for one of no time or of no labels."""
    if not matchers:
        raise ValueError("say which alerts, such as queue=sales: a silence of all hides a fire")
    if ends <= starts or ends <= now:
        raise ValueError("its end lies before its begin, or is over")
    return secrets.token_hex(4), orjson.dumps(dict(matchers)).decode(), starts, ends, author, comment, now


def silence_of(row: Row) -> Silence:
    """A row for people."""
    return Silence(row[0], orjson.loads(row[1]), *row[2:6])


def record_of(row: Row) -> tuple[bytes, bytes]:
    """Key and value of a silence in the ledger's topic: the last one of a key holds."""
    return orjson.dumps([ASKED, row[0]]), orjson.dumps(row)


def asked_in(key: bytes | None, value: bytes | None, name: str = ASKED) -> Row | None:
    """The silence of a record; None for what is no silence that was made there."""
    if key is None or value is None or not key.startswith(f'["{name}",'.encode()):
        return None
    id_, matchers, starts, ends, author, comment, made_at, *_ = orjson.loads(value)
    return id_, matchers, starts, ends, author, comment, made_at


class Silences:
    """The silences in a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._db = ledger.db
        self._db.execute(TABLE)

    def add(
        self, matchers: Mapping[str, str], starts: int, ends: int, author: str, comment: str, now: int
    ) -> Silence:
        """A new one. Raises ValueError for one of no time or of no labels."""
        row = new_row(matchers, starts, ends, author, comment, now)
        self.put(row)
        return silence_of(row)

    def put(self, row: Row) -> None:
        """One that was made elsewhere, or ended there."""
        self._db.execute("INSERT OR IGNORE INTO silence VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._db.execute("UPDATE silence SET ends = ? WHERE id = ? AND ends != ?", (row[3], row[0], row[3]))

    def expire(self, id_: str, now: int) -> bool:
        """End one now; False if there is none that still lasts. It stays in the list of what was."""
        return (
            self._db.execute(
                "UPDATE silence SET ends = ? WHERE id = ? AND ends > ?", (now, id_, now)
            ).rowcount
            > 0
        )

    def all(self, since: int = 0) -> list[Silence]:
        """Those that end after a time, by their end."""
        found = self._db.execute(
            "SELECT id, matchers, starts, ends, author, comment, made_at "
            "FROM silence WHERE ends > ? ORDER BY ends, id",
            (since,),
        )
        return [silence_of(row) for row in found]

    def until(self, alert: str, labels: Mapping[str, str], now: int) -> int:
        """When the last silence that is on ends, 0 where none is."""
        on = [each.ends for each in self.all(now) if each.starts <= now and each.matches(alert, labels)]
        return max(on, default=0)
