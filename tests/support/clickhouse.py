"""Events into a ClickHouse of the test's own, in-process."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from schemas.codec import encode
from schemas.events import ContactEvent
from sinks.connection import SETTINGS
from sinks.rows import EVENT_COLUMNS, event_row
from sql.migrate import migrations


def events_to_rows(events: Iterable[ContactEvent]) -> dict[str, list[Any]]:
    """Columns of table `events`, made by the sink's own mapping: a fault there must show here."""
    rows = [event_row(event, encode(event)) for event in events]
    return {name: [row[i] for row in rows] for i, name in enumerate(EVENT_COLUMNS)}


def connect(folder: Path) -> Client:
    """A fresh embedded database with all tables. One folder per process at a time: close it when done."""
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}", settings=SETTINGS)
    for migration in migrations():
        for statement in migration.statements:
            client.command(statement)
    return client


def load(client: Client, events: Iterable[ContactEvent]) -> None:
    """Insert events as they are, duplicates included."""
    columns = events_to_rows(events)
    client.insert("events", list(columns.values()), column_names=list(columns), column_oriented=True)
