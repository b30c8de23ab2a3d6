"""What ClickHouse holds for each window, as a digest: equal where every measure of every row is."""

from dataclasses import fields

from clickhouse_connect.driver.client import Client

from kpis.facts import AgentQuarter
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES

Digests = dict[tuple[str, int], str]  # by table and beginning in UTC ms
# Of rows in which nothing counts a correction leaves some and SQL makes none: they do not matter.
COUNTS = "arrayExists(x -> x != 0, [{}])"
TABLES = (
    ("kpi_windows", ("channel", "queue", "partition"), MEASURES, COUNTS),
    ("fcr_windows", ("channel", "queue", "days", "partition"), FCR_MEASURES, COUNTS),
    ("agent_quarters", ("agent",), tuple(f.name for f in fields(AgentQuarter))[2:], "is_deleted = 0"),
)


def digests(client: Client) -> Digests:
    """A digest of all rows of each window, versions left out."""
    found: Digests = {}
    for table, keys, measures, counts in TABLES:
        rows = client.query(
            "SELECT toUnixTimestamp(window_start) * 1000 AS start, "
            f"hex(sum(cityHash64({', '.join((*keys, *measures))}))) "
            f"FROM {table} FINAL WHERE {counts.format(', '.join(measures))} GROUP BY start"
        ).result_rows
        found |= {(table, start): digest for start, digest in rows}
    return found


def same(found: Digests, right: Digests) -> str:
    """`1` when the digest of every window is that of the other, else how many are not."""
    differing = sum(found.get(key) != right.get(key) for key in found.keys() | right.keys())
    if differing:
        return f"{differing:,} of {len(found.keys() | right.keys()):,} windows differ"
    return f"1 ({len(right):,} windows)"
