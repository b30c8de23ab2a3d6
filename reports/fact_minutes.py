"""Minutes of what windows do not have: further dimensions, and single durations; from facts."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from kpis.dips.log_mean import LEAST_MS, PER_DOUBLING
from kpis.rules import Rules
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES
from reports.kpi.relations import STREAM
from reports.minutes import MinuteSums, asked, spells
from schemas.time_units import MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sql.bookings import fcr_bookings
from sql.kpi_queries import (
    STREAM_LEGS,
    WINDOW_DIMENSIONS,
    column_of,
    contact_source,
    leg_source,
    offer_source,
    with_own,
)
from sql.verify_queries import within

LOG_MEASURES = ("log_sum", "log_squares", "log_n")


def places_of(client: Client, further: Sequence[str], from_ms: int, to_ms: int) -> list[MinuteSums]:
    """Channels, queues and further dimensions of the legs of [from_ms, to_ms), as minutes without sums."""
    source = carrying(f"(SELECT * FROM {STREAM_LEGS} {within('entered_at', True)})", further)  # noqa: S608
    columns = ", ".join((*WINDOW_DIMENSIONS, *map(column_of, further)))
    query = f"SELECT DISTINCT 0 AS begin_ms, {columns} FROM {source}"  # noqa: S608
    return asked(client, query, [], {"from_ms": from_ms, "to_ms": to_ms}, further)


def fact_minutes(
    client: Client,
    measures: Sequence[str],
    further: Sequence[str],
    from_ms: int,
    to_ms: int,
    rules: Rules,
    every_ms: int = MINUTE_MS,
) -> list[MinuteSums]:
    """Sums of measures by further dimensions, from facts; only where all of these are known."""
    query = spells(within_minutes(fact_source(measures, further)), measures, every_ms, further)
    given = rule_parameters(rules) | {"from_ms": from_ms, "to_ms": to_ms}
    return asked(client, query, measures, given, further)


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
            parts.append(f"SELECT minute_ms, {columns}, {values} FROM {carrying(source, further)}")  # noqa: S608
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
