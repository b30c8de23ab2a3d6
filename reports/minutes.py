"""Counts of a KPI minute by minute, as alerts look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client

from reports.queries import rows
from schemas.time_units import MINUTE_MS
from sql.kpi_queries import (
    STREAM_FCR_WINDOWS,
    STREAM_WINDOWS,
    WINDOW_DIMENSIONS,
    column_of,
    window_source,
)
from sql.verify_queries import within


@dataclass(frozen=True, slots=True)
class MinuteSums:
    """Sums of measures in one minute of a channel and queue, and of further dimensions if asked for."""

    minute: int  # begin, UTC ms
    channel: str
    queue: str
    sums: dict[str, int]
    further: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> dict[str, str]:
        """All its dimensions by name."""
        return {"channel": self.channel, "queue": self.queue, **self.further}


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


def queues_of(client: Client, from_ms: int, to_ms: int) -> list[MinuteSums]:
    """The channels and queues of [from_ms, to_ms), as minutes without sums."""
    query = f"SELECT DISTINCT 0 AS begin_ms, channel, queue FROM kpi_windows {within('window_start', True)}"  # noqa: S608
    return asked(client, query, [], {"from_ms": from_ms, "to_ms": to_ms})


def minute_sums(
    client: Client, measures: Sequence[str], from_ms: int, to_ms: int, every_ms: int = MINUTE_MS
) -> list[MinuteSums]:
    """All minutes of [from_ms, to_ms), or longer spells, in which any of these was counted, in order."""
    query = spells(window_source(STREAM_WINDOWS, measures), measures, every_ms)
    return asked(client, query, measures, {"from_ms": from_ms, "to_ms": to_ms})


def fcr_minutes(
    client: Client, measures: Sequence[str], days: int, from_ms: int, to_ms: int
) -> list[MinuteSums]:
    """The same of repeat contacts, judged by a window of so many days."""
    source = window_source(STREAM_FCR_WINDOWS, measures, (*WINDOW_DIMENSIONS, "days"))
    query = spells(f"{source} WHERE days = {{days:UInt16}}", measures)
    return asked(client, query, measures, {"from_ms": from_ms, "to_ms": to_ms, "days": days})


def spells(
    source: str, measures: Sequence[str], every_ms: int = MINUTE_MS, further: Sequence[str] = ()
) -> str:
    """Sums of a source by spells of time, channel, queue and further dimensions; without those of nothing."""
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    anything = " OR ".join(f"{name} != 0" for name in measures)
    begin = f"intDiv(minute_ms, {every_ms:d}) * {every_ms:d} AS begin_ms"
    places = ", ".join((*WINDOW_DIMENSIONS, *map(column_of, further)))
    return (
        f"SELECT {begin}, {places}, {values} FROM {source} "  # noqa: S608
        f"GROUP BY begin_ms, {places} HAVING {anything} ORDER BY begin_ms"
    )


def asked(
    client: Client,
    query: str,
    measures: Sequence[str],
    parameters: dict[str, object],
    further: Sequence[str] = (),
) -> list[MinuteSums]:
    """Answer of a query."""
    return [
        MinuteSums(
            row["begin_ms"], row["channel"], row["queue"], {name: int(row[name]) for name in measures},
            {name: row[column_of(name)] for name in further},
        )
        for row in rows(client, query, parameters)
    ]  # fmt: skip
