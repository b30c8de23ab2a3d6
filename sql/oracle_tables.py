"""Columns of what the oracle recomputes, written down rather than asked from ClickHouse.

`CREATE TABLE ... EMPTY AS SELECT` would find them as well, but analyses the SELECT once more: for the fold
alone a second of CPU, more than all the rest of a `verify` of a few thousand events.
"""

import re

from sql.table_columns import table_columns
from sql.templates import fill

Columns = dict[str, str]  # types by name
SINKS_OWN = {"version", "is_deleted"}  # written beside what is counted
LOW_CARDINALITY = re.compile(r"LowCardinality\((\w+)\)")  # pays where it is stored, not for a moment


def folded_columns() -> Columns:
    """Of `oracle_queries.fold`."""
    lines = fill("oracle", "folded_columns").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("--"))


def columns_like(stored: str, partitions: int = 0) -> Columns:
    """Of what has the columns of a table of the sink's; `partition` only where there are any."""
    left_out = SINKS_OWN if partitions else {*SINKS_OWN, "partition"}
    return {
        name: LOW_CARDINALITY.sub(r"\1", kind)
        for name, kind in table_columns(stored).items()
        if name not in left_out
    }


def contacts_columns() -> Columns:
    """Of `oracle_queries.contacts` with `ivr_legs`."""
    return columns_like("contacts") | {"ivr_legs": "UInt64"}
