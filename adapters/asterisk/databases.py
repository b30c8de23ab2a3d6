"""The table queue_log in SQLite, PostgreSQL, MySQL or MariaDB. Drivers of servers are loaded when needed."""

import importlib
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from adapters.asterisk.table import COLUMNS, DATA
from adapters.kit.outcomes import WrongFile

ROWS = 1_000
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
LOCK_S = 0.1  # that another program may keep it from us in one look
CONNECT_S = 5
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
EXAMPLE = "postgresql://user@host/asterisk?table=queue_log"
DRIVERS = {
    "postgresql": ("psycopg", "postgres"),
    "postgres": ("psycopg", "postgres"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
}


class NotNow(Exception):
    """The database cannot be read at this moment; look again."""


@dataclass(frozen=True, slots=True)
class Database:
    """How a database is reached and asked. `shown` is its address without a password.

    `later`: does an error pass by itself? `holes`: are ids given out before their rows can be seen?
    """

    connect: Callable[[], Any]
    shown: str
    key: str
    mark: str
    error: type[Exception]
    later: Callable[[Any], bool]
    table: str = "queue_log"
    holes: bool = True


def is_address(log: str) -> bool:
    """Is it the address of something, and no file?"""
    return "://" in log


def database_at(log: str) -> Database:
    """The database at an address, or in a file of SQLite. Raises WrongFile, which does not quote an address:
    a password may stand in it."""
    if not is_address(log):
        return of_file(Path(log))
    try:
        at = urlsplit(log)
        _ = at.port
    except ValueError:  # it quotes what it takes for the port, which may be a password with a slash or hash
        raise WrongFile(f"no address of a database, such as {EXAMPLE}") from None
    if at.scheme not in DRIVERS:
        raise WrongFile(f"{at.scheme}:// is no database that is known; those are {', '.join(DRIVERS)}")
    return of_server(at)


def of_file(path: Path) -> Database:
    """A file of SQLite, opened for reading alone."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", LOCK_S, uri=True)

    def later(error: sqlite3.Error) -> bool:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in LOCKED

    return Database(connect, str(path), "rowid", "?", sqlite3.DatabaseError, later, holes=False)


def of_server(at: SplitResult) -> Database:
    """A database at an address. Raises WrongFile."""
    module, extra = DRIVERS[at.scheme]
    try:
        driver = importlib.import_module(module)
    except ImportError:
        raise WrongFile(f"{at.scheme} needs a driver: pip install 'ringback[{extra}]'") from None
    shown = f"{at.scheme}://{at.hostname or ''}{at.path}"
    given = {
        "host": at.hostname,
        "port": at.port,
        "user": at.username and unquote(at.username),
        "password": at.password and unquote(at.password),
        ("dbname" if module == "psycopg" else "database"): unquote(at.path.strip("/")) or None,
    }
    given = {name: value for name, value in given.items() if value}
    table = parse_qs(at.query).get("table", ["queue_log"])[0]
    if not NAME.fullmatch(table):
        raise WrongFile(f"{shown}: table= is no name of a table")

    def connect() -> Any:
        if module == "psycopg":
            read_only = "-c default_transaction_read_only=on"
            return driver.connect(**given, autocommit=True, connect_timeout=CONNECT_S, options=read_only)
        file = Path("~/.my.cnf").expanduser()
        more = {"read_default_file": str(file)} if file.is_file() else {}
        begin = "SET SESSION TRANSACTION READ ONLY"
        times = {"connect_timeout": CONNECT_S, "read_timeout": 2 * CONNECT_S}
        try:
            return driver.connect(
                **given, **more, **times, autocommit=True, init_command=begin, charset="utf8mb4"
            )
        except (
            RuntimeError
        ) as lacking:  # MySQL 8 and later log in by a key: PyMySQL needs cryptography for it
            raise WrongFile(f"{shown}: {lacking}: pip install 'ringback[{extra}]'") from None

    def later(error: Exception) -> bool:
        return isinstance(error, driver.OperationalError | driver.InterfaceError)

    return Database(connect, shown, "id", "%s", driver.Error, later, table)


class Rows:
    """The rows of a table; connected again when the connection is lost. Raises WrongFile, NotNow."""

    def __init__(self, database: Database) -> None:
        self._at = database
        self._connection: Any = None
        try:
            self.names = self._columns()
        except NotNow as error:
            raise WrongFile(f"{database.shown} cannot be read as a database: {error}") from None
        columns = ", ".join((database.key, *self.names))
        self._select = f"SELECT {columns} FROM {database.table}"  # noqa: S608 -- names are ours or checked

    @property
    def table(self) -> str:
        """Its name."""
        return self._at.table

    @property
    def holes(self) -> bool:
        """Are ids given out before their rows can be seen?"""
        return self._at.holes

    def after(self, row: int) -> list[tuple[Any, ...]]:
        """The rows behind an id, at most ROWS."""
        key = self._at.key
        return self._ask(f"{self._select} WHERE {key} > {self._at.mark} ORDER BY {key} LIMIT {ROWS}", row)

    def row(self, row: int) -> tuple[Any, ...] | None:
        """One row."""
        found = self._ask(f"{self._select} WHERE {self._at.key} = {self._at.mark}", row)
        return found[0] if found else None

    def last(self) -> int | None:
        """The greatest id."""
        ((last,),) = self._ask(f"SELECT max({self._at.key}) FROM {self._at.table}")  # noqa: S608
        return None if last is None else int(last)

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            with suppress(self._at.error):
                self._connection.close()
        self._connection = None

    def _columns(self) -> list[str]:
        """The columns that are there, of those that we know."""
        _, described = self._run(f"SELECT * FROM {self._at.table} LIMIT 0", ())  # noqa: S608
        there = {str(column[0]).lower() for column in described}
        wanted = [*({self._at.key} - {"rowid"}), *COLUMNS]
        if not there >= {*wanted}:
            said = ", ".join(wanted)
            raise WrongFile(f"{self._at.shown} has no table {self._at.table} with the columns {said}")
        return [name for name in (*COLUMNS, *DATA, "data") if name in there]

    def _ask(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        return self._run(query, values)[0]

    def _run(self, query: str, values: Sequence[int]) -> tuple[list[tuple[Any, ...]], Sequence[Any]]:
        """The rows that a query finds, and what it says of its columns."""
        try:
            if self._connection is None:
                self._connection = self._at.connect()
            cursor = self._connection.cursor()
            cursor.execute(query, values)
            return [tuple(row) for row in cursor.fetchall()], cursor.description
        except self._at.error as error:
            said = " ".join(str(error).split())[:200]
            if self._at.later(error):
                self.close()
                raise NotNow(said) from None
            raise WrongFile(f"{self._at.shown} cannot be read as a database: {said}") from None
