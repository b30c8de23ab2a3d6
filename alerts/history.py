"""Changes of alerts into ClickHouse, for BI tools and comparison: at least once, the same rows."""

from collections.abc import Mapping
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from alerts.ledger import STORED, Change, Ledger

COLUMNS = (
    "alert", "labels", "kind", "at", "opened_at", "episode", "kpi", "window_ms", "successes", "n", "version",
)  # fmt: skip
AT_ONCE = 1_000


def moment(ms: int) -> datetime:
    """A time as the driver wants it."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def row_of(change: Change, kpi: str) -> list[object]:
    """A row of alert_transitions."""
    seen = change.seen
    return [
        change.alert, dict(change.labels), change.kind, moment(change.at), moment(change.opened_at),
        change.episode, kpi, seen["window_ms"], seen["successes"], seen["n"], change.decided_at,
    ]  # fmt: skip


def store(client: Client, ledger: Ledger, kpi_by_alert: Mapping[str, str]) -> int:
    """Write what is not there yet; how many. Raises ClickHouseError, OSError."""
    number = 0
    while (found := ledger.not_stored(AT_ONCE))[1]:
        reached, changes = found
        rows = [row_of(change, kpi_by_alert.get(change.alert, "")) for change in changes]
        client.insert("alert_transitions", rows, column_names=COLUMNS)
        ledger.advance(STORED, reached)  # a kill before this: they are written once more
        number += len(changes)
    return number
