"""Counts of a KPI minute by minute, as alerts look at them."""

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from reports.queries import rows
from schemas.time_units import MINUTE_MS
from sql.kpi_queries import STREAM_WINDOWS, WINDOW_DIMENSIONS, window_source


@dataclass(frozen=True, slots=True)
class MinuteSums:
    """Sums of measures in one minute of a channel and queue."""

    minute: int  # begin, UTC ms
    channel: str
    queue: str
    sums: dict[str, int]


def newest_minute_end(client: Client) -> int | None:
    """End of the newest minute that anything was counted in (UTC ms): as late as the events say it is."""
    (found,) = rows(
        client,
        "SELECT count() AS n, toUnixTimestamp64Milli(max(window_start)) AS newest FROM kpi_windows",
        {},
    )
    if not found["n"]:
        return None
    return int(found["newest"]) + MINUTE_MS


def minute_sums(client: Client, measures: Sequence[str], from_ms: int, to_ms: int) -> list[MinuteSums]:
    """All minutes of [from_ms, to_ms) in which any of these measures was counted, in their order."""
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    anything = " OR ".join(f"{name} != 0" for name in measures)
    query = (
        f"SELECT minute_ms, channel, queue, {values} FROM {window_source(STREAM_WINDOWS, measures)} "  # noqa: S608
        f"GROUP BY minute_ms, {', '.join(WINDOW_DIMENSIONS)} HAVING {anything} ORDER BY minute_ms"
    )
    found = rows(client, query, {"from_ms": from_ms, "to_ms": to_ms})
    return [
        MinuteSums(
            row["minute_ms"], row["channel"], row["queue"], {name: int(row[name]) for name in measures}
        )
        for row in found
    ]
