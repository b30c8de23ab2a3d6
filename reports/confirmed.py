"""Differences on live data: only what a second look finds unchanged is one.

The stream's tables and the raw events are read one after the other, while both move. What is under way then
differs for a moment; what is wrong differs by the same amount for as long as nobody mends it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clickhouse_connect.driver.client import Client

from reports.verification import Report

LOOKS = 3
NAMED = 20
# Contacts whose facts differ and that have an event in a window.
IN_WINDOW = """SELECT DISTINCT contact_id FROM events
    WHERE contact_id IN {contacts:Array(String)}
    AND occurred_at >= parseDateTime64BestEffort({window:String}, 3, 'UTC')
    AND occurred_at < parseDateTime64BestEffort({window:String}, 3, 'UTC') + INTERVAL 1 MINUTE
    ORDER BY contact_id LIMIT 20"""


def mark_of(difference: dict[str, Any]) -> str:
    """What tells a difference from others. Of a window its amount: the rest of it may go on moving."""
    if "fact" in difference:
        return repr((difference["fact"], difference["key"], difference["rows"], difference["columns"]))
    amount = difference["stream"] - difference["oracle"]
    return repr((difference["window_start"], difference["dimensions"], difference["measure"], amount))


def confirmed(look: Callable[[], Report], looks: int = LOOKS) -> Report:
    """The report of the last look, with the differences that all have found. One without any is enough."""
    report, left = look(), None
    for _ in range(looks - 1):
        if report.agrees:
            return report
        left = {mark_of(d) for d in report.differences} & (left or {mark_of(d) for d in report.differences})
        report = look()
    if left is None or report.agrees:
        return report
    found = [d for d in report.differences if mark_of(d) in left]
    # Of very many not all are listed, but all are counted.
    gone = len(report.differences) - len(found)
    return replace(report, differences=found, differing=report.differing - gone)


def with_contacts(client: Client, report: Report) -> Report:
    """The first windows that differ, each with the contacts in it whose facts differ as well.

    A window without any has the right facts and a wrong sum.
    """
    facts = (d["key"].get("contact_id") for d in report.differences if "fact" in d)
    contacts = sorted({contact for contact in facts if contact})
    told = []
    for number, difference in enumerate(report.differences):
        if "measure" in difference and number < NAMED:
            values = {"contacts": contacts, "window": difference["window_start"]}
            rows = client.query(IN_WINDOW, parameters=values).result_rows if contacts else []
            difference = difference | {"contacts": [row[0] for row in rows]}
        told.append(difference)
    return replace(report, differences=told)
