"""Is what the stream kept what SQL recomputes from the raw events? Window by window, fact by fact."""

from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.facts import ContactFact, LegFact, SurveyFact
from kpis.rules import Rules
from kpis.tally import MEASURES
from sinks.oracle import Recomputed, recomputed, rule_parameters
from sql import oracle
from sql import verify as text

# Of each kind, at most so many differences are listed; all are counted.
LISTED = 1_000
FACTS = {
    "contacts": (ContactFact, ("contact_id",), oracle.contacts),
    "legs": (LegFact, ("contact_id", "leg"), oracle.legs),
    "surveys": (SurveyFact, ("contact_id", "kind", "respondent"), oracle.surveys),
}


@dataclass(slots=True)
class Report:
    """What was compared and what differs. `windows` are (minute, channel, queue), `values` their measures."""

    windows: int = 0
    values: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """No difference at all?"""
        return self.differing == 0


def utc(value: datetime) -> str:
    """A time as JSON has it."""
    return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def rows(client: Client, sql: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    """Result of a query, a dict per row."""
    result = client.query(sql, parameters=parameters)
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def compare_windows(
    client: Client, tables: Recomputed, parameters: dict[str, object], ranged: bool, report: Report
) -> None:
    """Add the windows to a report."""
    (counts,) = rows(client, text.window_counts(tables.windows, MEASURES, ranged), parameters)
    report.windows, report.values = counts["compared_windows"], counts["compared_values"]
    report.differing += counts["differing_values"]
    if not counts["differing_values"]:
        return
    for row in rows(client, text.window_differences(tables.windows, MEASURES, LISTED, ranged), parameters):
        for measure, stream, recomputed_value in row["differences"]:
            report.differences.append(
                {
                    "window_start": utc(row["window_start"]),
                    "dimensions": {"channel": row["channel"], "queue": row["queue"]},
                    "measure": measure,
                    "stream": stream,
                    "oracle": recomputed_value,
                }
            )


def compare_facts(
    client: Client, tables: Recomputed, parameters: dict[str, object], ranged: bool, report: Report
) -> None:
    """Add contacts, legs and surveys to a report."""
    for table, (fact, keys, relation) in FACTS.items():
        columns = [item.name for item in fields_of(fact) if item.name not in keys]
        expected = relation(tables.folded)
        (counts,) = rows(client, text.fact_counts(table, keys, columns, expected, ranged), parameters)
        report.facts[table] = counts["compared_facts"]
        report.differing += counts["differing_facts"]
        if not counts["differing_facts"]:
            continue
        query = text.fact_differences(table, keys, columns, expected, LISTED, ranged)
        for row in rows(client, query, parameters):
            report.differences.append(
                {
                    "fact": table,
                    "key": {key: row[key] for key in keys},
                    "rows": {"stream": row["stream_rows"], "oracle": row["oracle_rows"]},
                    "columns": [
                        {"column": column, "stream": stream, "oracle": other}
                        for column, stream, other in row["differences"]
                    ],
                }
            )


def compare(client: Client, rules: Rules, span: tuple[int, int] | None = None) -> Report:
    """Compare everything, or the windows of `span` ([from, to) in whole UTC minutes, ms)."""
    report = Report()
    parameters = rule_parameters(rules)
    if span is not None:
        parameters |= {"from_ms": span[0], "to_ms": span[1]}
    with recomputed(client, rules, span) as tables:
        compare_windows(client, tables, parameters, span is not None, report)
        compare_facts(client, tables, parameters, span is not None, report)
    return report
