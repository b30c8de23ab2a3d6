"""Minutes of single durations: how many of them are beyond a limit, and beyond another."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.fact_minutes import carrying, within_minutes
from reports.kpi.relations import STREAM
from reports.minutes import MinuteSums, asked, spells
from sinks.rule_parameters import rule_parameters
from sql.kpi_queries import DURATIONS, WINDOW_DIMENSIONS, column_of, leg_values

MEASURES = ("beyond_limit", "beyond_clear", "durations")


class Limits(NamedTuple):
    """Two limits in ms. `below`: beyond them is what is less."""

    below: bool
    limit: Fraction
    clear: Fraction

    def passed(self, measure: str, duration_ms: int) -> bool:
        """Is a duration beyond the limit, or beyond `clear`, as the measure says?"""
        edge = self.limit if measure == "beyond_limit" else self.clear
        return duration_ms < edge if self.below else duration_ms > edge


def beyond_source(duration: str, limits: Limits, further: Sequence[str]) -> str:
    """Source: minute_ms, channel, queue, further dimensions and m_<measure>, a row per duration."""
    places = ", ".join((*WINDOW_DIMENSIONS, *map(column_of, further)))
    sign = "<" if limits.below else ">"
    beyond_limit, beyond_clear = (
        f"toInt64(duration * {each.denominator:d} {sign} {each.numerator:d})" for each in limits[1:]
    )
    durations = carrying(leg_values(*DURATIONS[duration], STREAM.legs), further)
    return within_minutes(
        f"(SELECT minute_ms, {places}, {beyond_limit} AS m_beyond_limit, "  # noqa: S608 -- numbers
        f"{beyond_clear} AS m_beyond_clear, toInt64(1) AS m_durations FROM {durations})"
    )


def beyond_minutes(
    client: Client,
    duration: str,
    limits: Limits,
    further: Sequence[str],
    from_ms: int,
    to_ms: int,
    rules: Rules,
) -> list[MinuteSums]:
    """Sums of them by minute."""
    query = spells(beyond_source(duration, limits, further), MEASURES, further=further)
    given = rule_parameters(rules) | {"from_ms": from_ms, "to_ms": to_ms}
    return asked(client, query, MEASURES, given, further)
