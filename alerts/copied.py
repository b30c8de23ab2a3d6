"""The ledger as rows that can be copied: which have changed since, and a whole that takes its place."""

import sqlite3
from collections.abc import Iterable, Mapping

import orjson

TABLES = ("position", "standing", "transition", "outbox", "silence")
CHANGED = """CREATE TABLE IF NOT EXISTS changed (
    name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)
)"""
AT_ONCE = 5_000
Key = bytes


def key_of(name: str, number: int) -> Key:
    """A row by its table and number."""
    return orjson.dumps([name, number])


def is_copied_row(key: Key) -> bool:
    """Is it one of the ledger's rows? Else it was asked for on another machine."""
    return orjson.loads(key)[0] in TABLES


def track(db: sqlite3.Connection) -> None:
    """From now on each row that changes is noted, whoever changes it: in the same transaction."""
    db.execute(CHANGED)
    for name in TABLES:
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            db.execute(
                f"CREATE TRIGGER IF NOT EXISTS {name}_{verb} AFTER {verb} ON {name} BEGIN "  # noqa: S608
                f"INSERT OR IGNORE INTO changed VALUES ('{name}', {row}.rowid); END"
            )


def track_all(db: sqlite3.Connection) -> None:
    """All that is there is to be copied: nobody has a copy yet."""
    for name in TABLES:
        db.execute(f"INSERT OR IGNORE INTO changed SELECT '{name}', rowid FROM {name}")  # noqa: S608 -- TABLES


def changed(db: sqlite3.Connection) -> dict[Key, bytes | None]:
    """Rows that changed since they were copied, as they are now; None for those that are gone."""
    found: dict[Key, bytes | None] = {}
    for name, number in db.execute("SELECT name, number FROM changed LIMIT ?", (AT_ONCE,)).fetchall():
        row = db.execute(f"SELECT * FROM {name} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608 -- TABLES
        found[key_of(name, number)] = None if row is None else orjson.dumps(row)
    return found


def is_copied(db: sqlite3.Connection, rows: Mapping[Key, bytes | None]) -> None:
    """These rows were copied; what has changed again meanwhile is still to be."""
    for key, value in rows.items():
        name, number = orjson.loads(key)
        row = db.execute(f"SELECT * FROM {name} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608 -- TABLES
        if value == (None if row is None else orjson.dumps(row)):
            db.execute("DELETE FROM changed WHERE name = ? AND number = ?", (name, number))


def replace_all(db: sqlite3.Connection, rows: Iterable[tuple[Key, bytes]]) -> None:
    """Rows that were copied in place of all that is here. Within a transaction."""
    for name in TABLES:
        db.execute(f"DELETE FROM {name}")  # noqa: S608 -- TABLES
    for key, value in rows:
        if not is_copied_row(key):
            continue
        name, number = orjson.loads(key)
        columns = [column[1] for column in db.execute(f"PRAGMA table_info({name})")]
        own = orjson.loads(value)[: len(columns)]
        marks = ", ".join("?" for _ in range(len(own) + 1))
        db.execute(
            f"INSERT INTO {name} (rowid, {', '.join(columns[: len(own)])}) VALUES ({marks})",  # noqa: S608
            (number, *own),
        )
    db.execute("DELETE FROM changed")
