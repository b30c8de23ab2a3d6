"""Events as ClickHouse has them, in tables `events` and `agent_events`, read in the order of their keys.

Pages go by the primary key, so each reads little more than what it gives, however large the table is.
"""

# ruff: noqa: S608 -- names are ours; values from outside are query parameters

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from adapters.sending.records import OutgoingRecord
from maintenance.history import ALWAYS, Piece, Position, Span, todays
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS

PAGE = 20_000
# Table, its topic, and the column that is the key of both.
TABLES = (("events", CONTACT_EVENTS, "contact_id"), ("agent_events", AGENT_EVENTS, "agent"))
IN_SPAN = (
    "occurred_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') "
    "AND occurred_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')"
)
TIMES_END_MS = 9_000_000_000_000  # of the year 2255; DateTime64 goes no further than 2299


def in_span(span: Span) -> dict[str, Any]:
    """Parameters of IN_SPAN."""
    return {"from_ms": max(span.from_ms, 0), "to_ms": min(span.to_ms, TIMES_END_MS)}


@dataclass(frozen=True)
class StoredHistory:
    """All variants of all events of a ClickHouse. A position is a table and the key of the last row read."""

    client: Client
    place: str  # the address, without its password
    span: Span = ALWAYS
    tables: tuple[tuple[str, str, str], ...] = TABLES

    @property
    def name(self) -> str:
        """What is read, for people."""
        return f"events of ClickHouse at {self.place}"

    @property
    def identity(self) -> tuple[str, ...]:
        """The same place and time."""
        return ("clickhouse", self.place, repr(self.span))

    def total(self) -> int | None:
        """Rows to be read."""
        return sum(count_rows(self.client, table, self.span) for table, _, _ in self.tables)

    def pieces(self, position: Position | None) -> Iterator[Piece]:
        """Read on. Raises ClickHouseError, OSError."""
        done = position["done"] if position else 0
        first = position["table"] if position else 0
        after = position["after"] if position else None
        for number, (table, topic, key) in enumerate(self.tables[first:], first):
            while rows := self._page(table, key, after):
                after = [rows[-1][0].decode(), rows[-1][1].decode(), rows[-1][2], rows[-1][3].hex()]
                done += len(rows)
                records = [OutgoingRecord(topic, row[0], todays(row[3])) for row in rows]
                yield Piece(
                    without_repetitions(records), {"table": number, "after": after, "done": done}, done
                )
            after = None

    def _page(self, table: str, key: str, after: list[Any] | None) -> list[Any]:
        values = dict(zip(("key", "event_id", "revision", "canonical"), after or (), strict=bool(after)))
        beyond = (
            f"{key} >= {{key:String}} AND ({key}, event_id, revision, canonical) > "
            "({key:String}, {event_id:String}, {revision:UInt32}, unhex({canonical:String}))"
        )
        result = self.client.query(
            f"SELECT {key}, event_id, revision, canonical FROM {table} WHERE {beyond if after else '1'} "
            f"AND {IN_SPAN} ORDER BY {key}, event_id, revision, canonical LIMIT {PAGE:d}",
            parameters=values | in_span(self.span),
            query_formats={"String": "bytes"},
        )
        return [*result.result_rows]


def count_rows(client: Client, table: str, span: Span) -> int:
    """Rows of a table of events, those that wait to be merged away included."""
    sql = f"SELECT count() FROM {table} WHERE {IN_SPAN}"
    return int(client.query(sql, parameters=in_span(span)).result_rows[0][0])


def without_repetitions(records: list[OutgoingRecord]) -> list[OutgoingRecord]:
    """The same row twice in a row, not merged yet, is one event."""
    return [record for n, record in enumerate(records) if n == 0 or record != records[n - 1]]
