"""Events of ClickHouse into files, one for each month (UTC) in which they happened."""

# ruff: noqa: S608 -- names are ours; values from outside are query parameters

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copyfileobj

from clickhouse_connect.driver.client import Client

from maintenance.archive import Archive, Form, Held, write_events
from maintenance.history import ALWAYS, Span
from maintenance.parquet import columns
from maintenance.stored import IN_SPAN, TABLES, StoredHistory, in_span


@dataclass(frozen=True, slots=True)
class Month:
    """Events of one table in one month, or in the part of it that was asked for."""

    table: str
    name: str
    span: Span
    held: Held


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, and whether it was written or was there already."""

    name: str
    events: int
    written: bool


def months_of(client: Client, span: Span) -> Iterator[Month]:
    """The months of both tables, with what they hold; repetitions that wait to be merged away left out."""
    for table, topic, _ in TABLES:
        found = client.query(
            f"SELECT toYear(occurred_at) * 100 + toMonth(occurred_at) AS month, count(), "
            f"toString(groupBitXor(sipHash64(canonical))) FROM {table} FINAL WHERE {IN_SPAN} "
            "GROUP BY month ORDER BY month",
            parameters=in_span(span),
        )
        for month, count, digest in found.result_rows:
            whole = month_span(month)
            part = Span(max(whole.from_ms, span.from_ms), min(whole.to_ms, span.to_ms))
            name = f"{month // 100:04d}-{month % 100:02d}"
            if part != whole:  # a file of its own, so that it never takes the place of the whole month
                name = f"{stamp(part.from_ms)}-{stamp(part.to_ms)}"
            yield Month(table, f"{topic}-{name}", part, Held(count, digest))


def month_span(month: int) -> Span:
    """A month as yyyymm."""
    year, number = divmod(month, 100)
    begin = datetime(year, number, 1, tzinfo=UTC)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Span(round(begin.timestamp() * 1000), round(end.timestamp() * 1000))


def stamp(time_ms: int) -> str:
    """A time in a file name."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y%m%dT%H%MZ")


def export_stored(
    client: Client,
    archive: Archive,
    form: Form,
    span: Span = ALWAYS,
    on_file: Callable[[Exported], None] = lambda _: None,
) -> list[Exported]:
    """Write a file for each month whose events are not in the folder already, all variants of them.

    Raises FileShrinks, ClickHouseError, OSError.
    """
    done = []
    for month in months_of(client, span):
        name = f"{month.name}.{form}"
        there = archive.holds(name, month.held)
        if not there:
            archive.write(name, month.held, partial(write_month, client, form, month))
        done.append(Exported(name, month.held.events, not there))
        on_file(done[-1])
    return done


def write_month(client: Client, form: Form, month: Month, path: Path) -> None:
    """Write the events of a month: as Parquet ClickHouse itself does, without a look at them."""
    if form is Form.parquet:
        sql = f"SELECT {columns(month.table)} FROM {month.table} FINAL WHERE {IN_SPAN} ORDER BY ALL"
        settings = {"output_format_parquet_compression_method": "zstd"}
        with (
            client.raw_stream(sql, in_span(month.span), settings=settings, fmt="Parquet") as stream,
            path.open("wb") as file,
        ):
            copyfileobj(stream, file, 1 << 20)
        return
    only = tuple(entry for entry in TABLES if entry[0] == month.table)
    pieces = StoredHistory(client, "", month.span, only).pieces(None)
    write_events(path, form, month.table, (record.value for piece in pieces for record in piece.records))
