"""Parquet files of events, written and read by ClickHouse's engine inside this process: no other library.

Columns are those of table `events` (or `agent_events`); `canonical` is the event itself, as hexadecimal text.
A file without that column is read by its columns: `type` and the fields of the event.
"""

# ruff: noqa: S608 -- names are ours; paths are quoted

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import clickhouse_connect
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from adapters.events.json_lines import parse_event
from adapters.kit.outcomes import InvalidInput, WrongFile
from schemas.codec import DecodeError, decode
from schemas.events import AgentStateChanged, Event, SourceHeartbeat
from sinks.rows import COLUMNS, agent_event_row, event_row
from sql.migrate import migrations

ROWS = 10_000
MAGIC = b"PAR1"


def engine() -> Client:
    """An empty ClickHouse in the memory of this process."""
    return clickhouse_connect.get_client(dsn="chdb://:memory:")


def is_parquet(path: Path) -> bool:
    """Does the file begin like Parquet?"""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def quote(path: Path) -> str:
    """A path as a literal."""
    escaped = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def columns(table: str) -> str:
    """What a file holds of a table."""
    return ", ".join("lower(hex(canonical)) AS canonical" if c == "canonical" else c for c in COLUMNS[table])


def write_parquet(path: Path, table: str, canonicals: Sequence[bytes]) -> None:
    """Write events, given as canonical bytes, that belong into a table. Raises ClickHouseError, OSError."""
    rows = [row for canonical in canonicals if (row := row_of(canonical)) is not None]
    with closing(engine()) as client:
        for migration in migrations():
            for statement in migration.statements:
                client.command(statement)
        client.insert(table, rows, column_names=COLUMNS[table])
        client.command(
            f"SELECT {columns(table)} FROM {table} FINAL INTO OUTFILE {quote(path)} TRUNCATE "
            "FORMAT Parquet SETTINGS output_format_parquet_compression_method = 'zstd'"
        )


def row_of(canonical: bytes) -> list[Any] | None:
    """The row of an event; heartbeats have no table of events."""
    event = decode(canonical)
    if isinstance(event, SourceHeartbeat):
        return None
    return (
        agent_event_row(event, canonical)
        if isinstance(event, AgentStateChanged)
        else event_row(event, canonical)
    )


def read_parquet(path: Path, secret: bytes) -> Iterator[Event | DecodeError]:
    """The events of a file in their order; in place of one that is none, why. Raises WrongFile."""
    source = f"file({quote(path)}, Parquet)"
    with closing(engine()) as client:
        try:
            names = {row[0] for row in client.query(f"DESCRIBE {source}").result_rows}
            if "canonical" not in names and "type" not in names:
                raise WrongFile(
                    f"{path.name} has neither a column canonical nor one called type: it is no file of events"
                )
            if "canonical" in names:
                yield from of_canonical(client, f"SELECT canonical FROM {source}")
            else:
                yield from of_columns(client, f"SELECT toJSONString(tuple(*)) FROM {source}", secret)
        except ClickHouseError as error:
            said = str(error).strip().splitlines()[0][:200]
            raise WrongFile(f"{path.name} cannot be read as Parquet: {said}") from None


def has_canonical(path: Path) -> bool:
    """Did Ringback write it, with the events themselves in a column? Raises ClickHouseError."""
    with closing(engine()) as client:
        names = {row[0] for row in client.query(f"DESCRIBE file({quote(path)}, Parquet)").result_rows}
    return "canonical" in names


def blocks(client: Client, sql: str) -> Iterator[str]:
    """The values of a column, in their order."""
    with client.query_row_block_stream(
        sql, settings={"max_block_size": ROWS, "max_threads": 1, "input_format_parquet_preserve_order": 1}
    ) as stream:
        for block in stream:
            for row in block:
                yield row[0]


def of_canonical(client: Client, sql: str) -> Iterator[Event | DecodeError]:
    """Events by their canonical bytes."""
    for text in blocks(client, sql):
        try:
            yield decode(bytes.fromhex(text))
        except DecodeError as error:
            yield error
        except (ValueError, TypeError):
            yield DecodeError("undecodable", "canonical is no hexadecimal text")


def of_columns(client: Client, sql: str, secret: bytes) -> Iterator[Event | DecodeError]:
    """Events by their fields; an empty one says nothing."""
    for text in blocks(client, sql):
        fields = {name: value for name, value in orjson.loads(text).items() if value is not None}
        try:
            yield parse_event(fields, secret)
        except InvalidInput as refused:
            yield DecodeError(refused.reason, refused.detail)
