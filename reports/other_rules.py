"""Two versions of the rules side by side: which windows they count differently."""

# ruff: noqa: S608 -- names and numbers are ours

from dataclasses import replace

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.changes import Changes, compare
from reports.oracle import MEMORY_BYTES, Recomputed, recomputed


def within(tables: Recomputed, span: tuple[int, int] | None) -> Recomputed:
    """Windows of a time alone."""
    if span is None:
        return tables
    time_ms = "toUnixTimestamp64Milli(window_start)"

    def cut(table: str) -> str:
        return f"(SELECT * FROM {table} WHERE {time_ms} >= {span[0]:d} AND {time_ms} < {span[1]:d})"

    return replace(tables, windows=cut(tables.windows), fcr_windows=cut(tables.fcr_windows))


def compare_rules(
    client: Client,
    now: Rules,
    then: Rules,
    span: tuple[int, int] | None = None,
    memory_bytes: int = MEMORY_BYTES,
) -> Changes:
    """Windows as they stand by `now`, and what they would be by `then`; both recomputed from raw events."""
    found = Changes()
    with (
        recomputed(client, now, span, memory_bytes) as earlier,
        recomputed(client, then, span, memory_bytes) as later,
    ):
        compare(client, within(earlier, span), within(later, span), found)
    return found
