"""Minutes of what is counted neither in windows nor in legs: answers, call backs, agents' time."""

from collections.abc import Callable, Mapping, Sequence

from clickhouse_connect.driver.client import Client

from kpis.agents.quarters import AGENT_MEASURES
from kpis.rules import Rules
from reports.fact_minutes import carrying, within_minutes
from reports.kpi.relations import STREAM
from reports.minutes import MinuteSums, asked, spells
from schemas.time_units import MINUTE_MS, QUARTER_MS
from sinks.rule_parameters import rule_parameters
from sql.bookings import quarters_now, survey_bookings
from sql.kpi_queries import AGENT_DIMENSIONS, callback_source, state_source, window_source


def of_agents(source: str) -> str:
    """Quarter-hours as minutes: each counts when it is over, and no agent is in a channel or queue."""
    late = QUARTER_MS - MINUTE_MS
    begun = source.replace("{from_ms:Int64}", f"({{from_ms:Int64}} - {late:d})")
    return f"(SELECT * REPLACE (minute_ms + {late:d} AS minute_ms), '' AS channel, '' AS queue FROM {begun})"  # noqa: S608


def quarters() -> str:
    """What agents did in each quarter-hour, with what is open at {as_of_ms}."""
    now = quarters_now(STREAM.agent_quarters, STREAM.legs)
    return of_agents(window_source(now, AGENT_MEASURES, AGENT_DIMENSIONS))


SOURCES: Mapping[str, Callable[[], str]] = {
    "surveys": lambda: survey_bookings(STREAM.surveys, "booked_at"),
    "responses": lambda: survey_bookings(STREAM.surveys, "responded_at"),
    "callbacks": callback_source,
    "agents": quarters,
    "states": lambda: of_agents(state_source()),
}


def other_source(table: str, further: Sequence[str]) -> str:
    """Source: minute_ms, channel, queue, further dimensions and m_<measure> in {from_ms} to {to_ms}."""
    return within_minutes(carrying(SOURCES[table](), further))


def other_minutes(
    client: Client,
    table: str,
    measures: Sequence[str],
    further: Sequence[str],
    from_ms: int,
    to_ms: int,
    rules: Rules,
    every_ms: int,
) -> list[MinuteSums]:
    """Sums of measures of a table, by further dimensions where it has them."""
    query = spells(other_source(table, further), measures, every_ms, further)
    given = rule_parameters(rules) | {"from_ms": from_ms, "to_ms": to_ms, "as_of_ms": to_ms}
    return asked(client, query, measures, given, further)
