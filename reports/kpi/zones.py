"""Queues in time zones of their own: each queue's range and periods are those of its clock."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.kpi.answer import answer
from reports.kpi.question import Question

Span = tuple[int, int]


def answer_by_zone(
    client: Client,
    question: Question,
    rules: Rules,
    by_queue: Mapping[str, str],
    span_in: Callable[[str], Span],
) -> list[dict[str, Any]]:
    """As `answer`; where queues are told apart, each by its zone, with `timezone` in each row.

    `span_in` is the range asked for as the clock of a zone shows it. A sum over several queues has one range,
    that of the reporting time zone. Raises CannotAnswer.
    """
    if not by_queue or "queue" not in question.by:
        return answer(client, question, rules)
    rows = []
    for zone in dict.fromkeys((question.zone, *by_queue.values())):
        begin, end = span_in(zone)
        asked = replace(question, zone=zone, from_ms=begin, to_ms=end)
        rows += [
            {**row, "timezone": zone}
            for row in answer(client, asked, rules)
            if by_queue.get(row["queue"], question.zone) == zone
        ]
    return sorted(rows, key=lambda row: (row["window_start"], *(row[name] for name in question.by)))
