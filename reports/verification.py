"""Is what the stream kept what SQL recomputes from the raw events? Window by window, fact by fact."""

from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES
from reports.oracle import Recomputed, recomputed
from reports.queries import rows, utc
from sinks.rows import FACT_KEYS, FACT_TABLES
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle
from sql import verify_queries as text
from sql.verify_queries import FactTable, Scope, TallyTable

# Of each kind, at most so many differences are listed; all are counted.
LISTED = 1_000
WINDOW_KEYS = ("window_start", "channel", "queue")
SCOPES = {"fcr": Scope.customer, "agent_quarters": Scope.window}
FACTS: dict[str, tuple[type, tuple[str, ...], Scope]] = {
    table: (fact, FACT_KEYS[table], SCOPES.get(table, Scope.contact)) for table, fact in FACT_TABLES.items()
}


@dataclass(slots=True)
class Report:
    """What was compared and what differs.

    `windows` are (minute, channel, queue) of KPIs and (minute, channel, queue, days) of repeat contacts,
    `values` their measures.
    """

    windows: int = 0
    values: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Are the stream's numbers those that were recomputed, without any difference?"""
        return self.differing == 0


def fact_relation(table: str, tables: Recomputed) -> str:
    """Where the recomputed facts of a table are."""
    return {
        "contacts": tables.contacts,
        "legs": tables.legs,
        "leg_durations": oracle.leg_durations(tables.legs),
        "surveys": oracle.surveys(tables.folded),
        "offers": oracle.offers(tables.folded),
        "fcr": tables.fcr,
        "agent_quarters": tables.agent_quarters,
    }[table]


def windows_of(tables: Recomputed, ranged: bool) -> list[TallyTable]:
    """The two tables of windows to compare, with their keys and measures."""
    return [
        TallyTable("kpi_windows", tables.windows, WINDOW_KEYS, MEASURES, ranged),
        TallyTable("fcr_windows", tables.fcr_windows, (*WINDOW_KEYS, "days"), FCR_MEASURES, ranged),
    ]


def facts_of(table: str, tables: Recomputed, ranged: bool) -> FactTable:
    """The facts of a table to compare."""
    fact, keys, scope = FACTS[table]
    columns = tuple(item.name for item in fields_of(fact) if item.name not in keys)
    return FactTable(table, fact_relation(table, tables), keys, columns, scope, ranged)


def compare_windows(
    client: Client, windows: TallyTable, parameters: dict[str, object], report: Report
) -> None:
    """Add the windows of a table to a report."""
    (counts,) = rows(client, text.window_counts(windows), parameters)
    report.windows += counts["compared_windows"]
    report.values += counts["compared_values"]
    if not counts["differing_windows"]:
        return
    (found,) = rows(client, text.differing_values(windows), parameters)
    report.differing += found["differing_values"]
    for row in rows(client, text.window_differences(windows, LISTED), parameters):
        for measure, stream, recomputed_value in row["differences"]:
            report.differences.append(
                {
                    "window_start": utc(row["window_start"]),
                    "dimensions": {key: row[key] for key in windows.keys[1:]},
                    "measure": measure,
                    "stream": stream,
                    "oracle": recomputed_value,
                }
            )


def compare_facts(client: Client, facts: FactTable, parameters: dict[str, object], report: Report) -> None:
    """Add the facts of a table to a report."""
    (counts,) = rows(client, text.fact_counts(facts), parameters)
    report.facts[facts.table] = counts["compared_facts"]
    report.differing += counts["differing_facts"]
    if not counts["differing_facts"]:
        return
    for row in rows(client, text.fact_differences(facts, LISTED), parameters):
        key = {name: utc(row[name]) if isinstance(row[name], datetime) else row[name] for name in facts.keys}
        report.differences.append(
            {
                "fact": facts.table,
                "key": key,
                "rows": {"stream": row["stream_rows"], "oracle": row["oracle_rows"]},
                "columns": [
                    {"column": column, "stream": stream, "oracle": other}
                    for column, stream, other in row["differences"]
                ],
            }
        )


def compare(client: Client, rules: Rules, span: tuple[int, int] | None = None) -> Report:
    """Compare everything, or what is booked in `span` ([from, to) in whole UTC minutes, ms)."""
    report = Report()
    parameters = rule_parameters(rules)
    if span is not None:
        parameters |= {"from_ms": span[0], "to_ms": span[1]}
    with recomputed(client, rules, span) as tables:
        for windows in windows_of(tables, span is not None):
            compare_windows(client, windows, parameters, report)
        for table in FACTS:
            compare_facts(client, facts_of(table, tables, span is not None), parameters, report)
    return report
