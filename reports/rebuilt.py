"""What a rebuild changes: windows, by how much, and by which events; from its shadow tables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from reports.changes import WINDOWS, add_changes
from reports.oracle import Recomputed
from reports.queries import rows, utc
from reports.verification import FACTS, facts_of, windows_of
from sql import rebuild_queries as text
from sql.verify_queries import FactTable, TallyTable

EVENTS_NAMED = 5
TableOf = Callable[[str, str], str]  # of a table of the stream's and a kind ("", "before") to the shadow


@dataclass(slots=True)
class RebuildReport:
    """Rows made anew by table, windows changed, and the first of them with measures and events."""

    rows: dict[str, int] = field(default_factory=dict)
    windows: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Is anything other than it stood?"""
        return any(self.rows.values())


def by_partition(tables: Recomputed, ranged: bool) -> dict[str, TallyTable]:
    """Windows to compare, each partition's apart."""
    return {
        pair.table: TallyTable(pair.table, pair.relation, (*pair.keys, "partition"), pair.measures, ranged)
        for pair in windows_of(tables, ranged)
    }


def all_facts(tables: Recomputed, ranged: bool) -> dict[str, FactTable]:
    """Facts to compare."""
    return {table: facts_of(table, tables, ranged) for table in FACTS}


def report_of(client: Client, made: dict[str, int], table_of: TableOf) -> RebuildReport:
    """What the rows made would change, before they are put in place."""
    report = RebuildReport(rows=made)
    for table in WINDOWS:
        if made.get(table):
            add_changes(client, table, table_of(table, "before"), table_of(table, ""), report)
    with_events(client, report, [table_of(table, "") for table in FACTS if made.get(table)])
    return report


def with_events(client: Client, report: RebuildReport, rebuilt: list[str]) -> None:
    """Name the events of a changed window whose contacts have facts that change; none: its sum was wrong."""
    contacts = [table for table in rebuilt if not table.endswith("agent_quarters")]
    minutes = sorted({datetime.fromisoformat(change["window_start"][:-1]) for change in report.changes})
    found: dict[Any, Any] = {}
    if contacts and minutes:
        values = {"minutes": minutes, "most": EVENTS_NAMED}
        found = {utc(row["minute"]): row["events"] for row in rows(client, text.causes(contacts), values)}
    for change in report.changes:
        change["events"] = [
            {"contact_id": contact, "event_id": event, "type": kind}
            for contact, event, kind in found.get(change["window_start"], ())
        ]
