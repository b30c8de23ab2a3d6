"""What would events that are not there yet change? Windows recomputed by SQL, with and without them."""

# ruff: noqa: S608 -- names are ours

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES
from reports.oracle import Recomputed, recomputed
from reports.queries import rows, utc
from schemas.codec import decode
from schemas.events import AgentStateChanged, SourceHeartbeat
from sinks.rows import EVENT_COLUMNS, event_row
from sql import replay_queries as text

WINDOW_KEYS = ("window_start", "channel", "queue")
WINDOWS = {"kpi_windows": (WINDOW_KEYS, MEASURES), "fcr_windows": ((*WINDOW_KEYS, "days"), FCR_MEASURES)}
LISTED = 1_000


class Listing(Protocol):
    """How many windows change, and the first of them."""

    windows: int
    changes: list[dict[str, Any]]


@dataclass(slots=True)
class Changes:
    """What events would change. `apart` are agents' states and heartbeats, which are not looked at."""

    events: int = 0
    new: int = 0
    apart: int = 0
    contacts: int = 0
    windows: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def tables_of_a_moment(client: Client) -> Iterator[tuple[str, str]]:
    """A table like `events` and one of contacts, dropped at the end."""
    suffix = uuid4().hex[:12]
    added, contacts = f"replay_events_{suffix}", f"replay_contacts_{suffix}"
    try:
        client.command(f"CREATE TABLE {added} AS events")
        yield added, contacts
    finally:
        for table in (added, contacts):
            client.command(f"DROP TABLE IF EXISTS {table}")


def load(client: Client, table: str, pieces: Iterable[list[bytes]], found: Changes) -> None:
    """Put events, given as canonical bytes, into a table of a moment."""
    for canonicals in pieces:
        lines = []
        for canonical in canonicals:
            event = decode(canonical)
            if isinstance(event, AgentStateChanged | SourceHeartbeat):
                found.apart += 1
            else:
                lines.append(event_row(event, canonical))
        if lines:
            client.insert(table, lines, column_names=EVENT_COLUMNS)
            found.events += len(lines)


def changes(
    client: Client,
    rules: Rules,
    pieces: Iterable[list[bytes]],
    on_loaded: Callable[[], None] = lambda: None,
) -> Changes:
    """What these events would change. Raises ClickHouseError, and what reading them raises."""
    found = Changes()
    with tables_of_a_moment(client) as (added, contacts):
        load(client, added, pieces, found)
        on_loaded()
        found.new = int(client.query(text.new_events("events", added)).result_rows[0][0])
        if not found.new:
            return found
        client.command(
            f"CREATE TABLE {contacts} ENGINE = MergeTree ORDER BY contact_id AS SELECT * FROM "
            f"{text.scope('events', added)}"
        )
        found.contacts = int(client.query(f"SELECT uniqExact(contact_id) FROM {added}").result_rows[0][0])
        before = text.within("events", contacts)
        after = text.within(text.both("events", added), contacts)
        with (
            recomputed(client, rules, None, raw=before) as earlier,
            recomputed(client, rules, None, raw=after) as later,
        ):
            compare(client, earlier, later, found)
    return found


def compare(client: Client, earlier: Recomputed, later: Recomputed, found: Changes) -> None:
    """Add the windows that differ."""
    sides = {
        "kpi_windows": (earlier.windows, later.windows),
        "fcr_windows": (earlier.fcr_windows, later.fcr_windows),
    }
    for table, (now, then) in sides.items():
        add_changes(client, table, now, then, found)


def add_changes(client: Client, table: str, earlier: str, later: str, found: Listing) -> None:
    """Add the windows of a table that differ between two relations like it: all counted, the first listed."""
    keys, measures = WINDOWS[table]
    most = LISTED - len(found.changes)
    first = rows(client, text.windows_changed(keys, measures, earlier, later, max(most, 1)), {})
    found.windows += int(first[0]["windows"]) if first else 0
    if not first or not most:
        return
    hashes = [row["key_hash"] for row in first]
    for row in rows(client, text.window_changes(keys, measures, table, earlier, later), {"hashes": hashes}):
        found.changes.append(
            {
                "window_start": utc(row["window_start"]),
                "dimensions": {key: row[key] for key in keys[1:]},
                "measures": {name: {"now": now, "then": then} for name, now, then in row["changes"]},
            }
        )
