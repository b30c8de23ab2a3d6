"""KPIs read from ClickHouse, as `ringback kpi` prints them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from reports.kpi.figures import backlog_values, fact_values, state_values
from reports.kpi.question import CannotAnswer, Question, chosen, no_dimension
from reports.kpi.relations import parameters, relations_of
from reports.kpi.sums import (
    Key,
    KpiValues,
    Reading,
    Value,
    agent_state_values,
    agent_values,
    callback_values,
    fcr_values,
    live_values,
    nothing,
    survey_values,
    window_values,
)
from reports.queries import utc
from sql.kpi_queries import LEG_DIMENSIONS
from sql.periods import periods

__all__ = ["CannotAnswer", "Question", "answer"]

# Where the KPIs of each table are read.
READERS: dict[str, tuple[Callable[[Reading, Sequence[Kpi]], KpiValues], ...]] = {
    "windows": (window_values,),
    "fcr": (fcr_values,),
    "surveys": (survey_values,),
    "agents": (agent_values,),
    "facts": (fact_values,),
    "live": (live_values, state_values),
    "callbacks": (callback_values,),
    "states": (agent_state_values,),
    "backlog": (backlog_values,),
}


def answer(client: Client, question: Question, rules: Rules) -> list[dict[str, Any]]:
    """One row per period and dimensions that has anything, in order. Raises CannotAnswer."""
    kpis = chosen(question, rules)
    when = periods(question.from_ms, question.to_ms, question.every, ZoneInfo(question.zone))
    given = parameters(question, rules) | when.parameters
    found: KpiValues = defaultdict(dict)
    with relations_of(client, question, rules, kpis) as relations:
        reading = Reading(client, relations, question, when, given, rules)
        for table, readers in READERS.items():
            wanted = [kpi for kpi in kpis if kpi.table == table]
            for read in readers if wanted else ():
                for key, values in read(reading, wanted).items():
                    found[key] |= values
    result = []
    for key in sorted(found, key=lambda key: (key[0], key[2:])):
        values = {kpi.id: found[key].get(kpi.id) or nothing(kpi) for kpi in kpis}
        if any(value["n"] or value["num"] for value in values.values()):
            result.append(row_of(question, key, values))
    check_dimensions(question, result)
    return result


def check_dimensions(question: Question, rows: list[dict[str, Any]]) -> None:
    """A dimension of one's own that no row has a value of is a mistake in its name. Raises CannotAnswer."""
    for name in question.by:
        if rows and name not in LEG_DIMENSIONS and not any(row[name] for row in rows):
            raise CannotAnswer(no_dimension(name))


def row_of(question: Question, key: Key, values: dict[str, Value]) -> dict[str, Any]:
    """A row as `ringback kpi --format json` prints it."""
    start, end, *dimensions = key
    return {
        "window_start": utc(start),
        "window_end": utc(end),
        **dict(zip(question.by, dimensions, strict=True)),
        "kpis": values,
    }
