"""The tables that a rebuild makes anew."""

from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES
from sinks.rows import FACT_KEYS, FACT_TABLES, fact_columns
from sql.rebuild_queries import Target, row_partition

WINDOW_KEYS = {
    "kpi_windows": ("window_start", "channel", "queue", "partition"),
    "fcr_windows": ("window_start", "channel", "queue", "days", "partition"),
}
STAGE = {"fcr": "customers", "fcr_windows": "customers", "agent_quarters": "agents"}


def targets_of(partitions: int) -> list[Target]:
    """All of them, facts before windows: in this order they are put in place."""
    found = []
    for table, keys in (FACT_KEYS | WINDOW_KEYS).items():
        if table in FACT_TABLES:
            columns = tuple(name for name in fact_columns(FACT_TABLES[table])[:-2] if name not in keys)
        else:
            columns = tuple(MEASURES if table == "kpi_windows" else FCR_MEASURES)
        stage = STAGE.get(table, "contacts")
        found.append(
            Target(table, stage, keys, columns, row_partition(table, partitions), table in FACT_TABLES)
        )
    return found
