"""The engine: chDB opened once in this process, and cheap handles on it."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.clickhouse.errors import TOO_MANY_ROWS_OR_BYTES, QueryError, from_engine, refused
from deploy.local.clickhouse.settings import quote_name
from deploy.local.errors import LocalStackError

GIB = 1 << 30
MOST_RESULT_BYTES = GIB


@dataclass(frozen=True, slots=True)
class Result:
    """The bytes of an answer and what it cost."""

    body: bytes
    result_rows: int
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    elapsed_ns: int


class Handle:
    """A connection with settings, current database and temporary tables of its own."""

    def __init__(self, dsn: str) -> None:
        from chdb.state.sqlitelike import Connection  # 0.2 s and 100 MB: only the serving process pays

        self._connection: Any = Connection(dsn)

    def query(
        self, sql: str | bytes, fmt: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> Result:
        """Run one statement; a FORMAT clause in it wins over ``fmt``. Raises QueryError."""
        try:
            result = self._connection.query(sql, fmt, params=dict(params or {}))
        except Exception as failure:
            self._forget()
            raise from_engine(str(failure)) from None
        if result.size() > MOST_RESULT_BYTES:
            # Before it is copied. What the engine's limits count are its columns, not the text made of them.
            raise refused(
                TOO_MANY_ROWS_OR_BYTES, f"Limit for result exceeded, max bytes: {MOST_RESULT_BYTES}."
            )
        return Result(
            body=bytes(result.bytes() or b""),
            result_rows=int(result.rows_read()),
            read_rows=int(result.storage_rows_read()),
            read_bytes=int(result.storage_bytes_read()),
            written_rows=int(result.rows_written()),
            written_bytes=int(result.bytes_written()),
            elapsed_ns=int(result.elapsed() * 1_000_000_000),
        )

    def _forget(self) -> None:
        """After an error the handle still holds rows of what failed, and gives them with the next answer."""
        with contextlib.suppress(Exception):  # it is the error before that counts
            self._connection.query("SELECT 1")

    def text(self, sql: str, params: Mapping[str, str] | None = None) -> str:
        """The single value a query returns, as text."""
        return self.query(sql, "RawBLOB", params).body.decode()

    def close(self) -> None:
        """Give the handle back; its temporary tables are gone."""
        self._connection.close()


class Engine:
    """The one engine of this process; it lives until ``close``."""

    def __init__(self, path: Path, memory_limit: int, configuration: Path) -> None:
        self._dsn = f"{path}?config-file={configuration}&max_server_memory_usage={memory_limit}"
        try:
            # This handle stays: the engine shuts down with its last one.
            self._root = Handle(self._dsn)
        except Exception as failure:
            reason = " ".join(str(failure).split())[:300]
            raise LocalStackError(
                f"the embedded ClickHouse cannot open its data in {path} ({reason})",
                "stop any other process that uses this folder, or set RINGBACK_DATA_DIR to another folder",
            ) from None
        self.version = self._root.text("SELECT version()")
        self.memory_limit = memory_limit
        listed = self._root.text(
            "SELECT arrayStringConcat(groupArray(name), ',') FROM system.table_functions"
        )
        self.table_functions = frozenset(listed.split(","))
        self.timezone = self._root.text("SELECT timezone()")

    def create_database(self, name: str) -> None:
        """Create a database unless it exists."""
        self._root.query(f"CREATE DATABASE IF NOT EXISTS {quote_name(name)}")

    def open(self) -> Handle:
        """A fresh handle (0.7 ms). Raises QueryError."""
        try:
            return Handle(self._dsn)
        except Exception as failure:
            raise QueryError(1002, f"Code: 1002. DB::Exception: No engine handle: {failure}", 503) from None

    def close(self) -> None:
        """Shut the engine down once the other handles are closed."""
        self._root.close()


def default_memory_limit() -> int:
    """Bytes the engine may use: half of the machine's memory, 4 GiB at most."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(4 * GIB, total // 2)
