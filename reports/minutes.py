"""Counts of a KPI minute by minute, as alerts look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client

from kpis.dips.log_mean import LEAST_MS, PER_DOUBLING
from kpis.rules import Rules
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES
from reports.kpi.relations import STREAM
from reports.queries import rows
from schemas.time_units import MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sql.bookings import fcr_bookings
from sql.kpi_queries import (
    STREAM_FCR_WINDOWS,
    STREAM_LEGS,
    STREAM_WINDOWS,
    WINDOW_DIMENSIONS,
    column_of,
    contact_source,
    leg_source,
    offer_source,
    window_source,
    with_own,
)
from sql.verify_queries import within

LOG_MEASURES = ("log_sum", "log_squares", "log_n")


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


def queues_of(client: Client, from_ms: int, to_ms: int, further: Sequence[str] = ()) -> list[MinuteSums]:
    """The channels and queues of [from_ms, to_ms), and further dimensions, as minutes without sums."""
    if further:
        source = carrying(f"(SELECT * FROM {STREAM_LEGS} {within('entered_at', True)})", further)  # noqa: S608
        columns = ", ".join(map(column_of, further))
        query = f"SELECT DISTINCT 0 AS begin_ms, channel, queue, {columns} FROM {source}"  # noqa: S608
        return asked(client, query, [], {"from_ms": from_ms, "to_ms": to_ms}, further)
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


def fact_minutes(
    client: Client,
    measures: Sequence[str],
    further: Sequence[str],
    from_ms: int,
    to_ms: int,
    rules: Rules,
    every_ms: int = MINUTE_MS,
) -> list[MinuteSums]:
    """The same by further dimensions, from legs, contacts and offers; only where all of these are known."""
    query = spells(within_minutes(fact_source(measures, further)), measures, every_ms, further)
    return asked(
        client, query, measures, rule_parameters(rules) | {"from_ms": from_ms, "to_ms": to_ms}, further
    )


def fcr_fact_minutes(
    client: Client, measures: Sequence[str], further: Sequence[str], days: int, from_ms: int, to_ms: int
) -> list[MinuteSums]:
    """Repeat contacts by further dimensions."""
    query = spells(within_minutes(fcr_fact_source(further, (days,))), measures, further=further)
    return asked(client, query, measures, {"from_ms": from_ms, "to_ms": to_ms}, further)


def log_minutes(
    client: Client, num: str, den: str, further: Sequence[str], from_ms: int, to_ms: int, rules: Rules
) -> list[MinuteSums]:
    """Logarithms of single durations: sums of them and of their squares, and how many."""
    query = spells(within_minutes(log_source(num, den, further)), LOG_MEASURES, further=further)
    given = rule_parameters(rules) | {"from_ms": from_ms, "to_ms": to_ms}
    return asked(client, query, LOG_MEASURES, given, further)


def log_source(num: str, den: str, further: Sequence[str]) -> str:
    """Source: the logarithm of each duration, 1024 to a doubling; shorter ones count as one second."""
    places = ", ".join((*WINDOW_DIMENSIONS, *map(column_of, further)))
    log = f"toInt64(floor({PER_DOUBLING} * log2(greatest(intDiv(m_{num}, m_{den}), {LEAST_MS}))))"
    return (
        f"(SELECT minute_ms, {places}, {log} AS m_log_sum, m_log_sum * m_log_sum AS m_log_squares, "  # noqa: S608
        f"toInt64(1) AS m_log_n FROM {fact_source((num, den), further)} WHERE m_{den} > 0)"
    )


def fact_source(measures: Sequence[str], further: Sequence[str]) -> str:
    """Source: legs, contacts and offers, as far as the measures are counted in them."""
    columns = ", ".join((*WINDOW_DIMENSIONS, *map(column_of, further)))
    parts = []
    for source, known in (
        (leg_source(), LEG_MEASURES),
        (contact_source(STREAM.contacts_with_ivr), CONTACT_MEASURES),
        (offer_source(), OFFER_MEASURES),
    ):
        if any(name in known for name in measures):
            own = ((name, f"m_{name}" if name in known else "0") for name in measures)
            values = ", ".join(f"toInt64({value}) AS m_{name}" for name, value in own)
            parts.append(
                f"SELECT minute_ms, {columns}, {values} "  # noqa: S608
                f"FROM {carrying(source, further)}"
            )
    return f"({' UNION ALL '.join(parts)})"


def fcr_fact_source(further: Sequence[str], days: Sequence[int]) -> str:
    """Source: candidates of first contact resolution, by further dimensions of their contacts."""
    return carrying(fcr_bookings(STREAM.fcr, days, STREAM.contacts), further)


def carrying(source: str, further: Sequence[str]) -> str:
    """What of a source carries all of these dimensions, each a column."""
    if not further:
        return source
    known = " AND ".join(f"{column_of(name)} != ''" for name in further)
    return f"(SELECT * FROM {with_own(source, further)} WHERE {known})"  # noqa: S608


def within_minutes(source: str) -> str:
    """The minutes of [from_ms, to_ms) of a source."""
    return f"(SELECT * FROM {source} WHERE minute_ms >= {{from_ms:Int64}} AND minute_ms < {{to_ms:Int64}})"  # noqa: S608


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
