"""What the engine itself lets a statement do: its configuration, with grants, fixed settings and limits.

chDB runs every statement as its user `default` with all rights: reading files, opening addresses, running
commands. With users of our own it has only the grants below, and refuses the rest on the statement as it
understood it, in whatever words it came: no sources but tables, no engines but these, no dictionaries, no
SYSTEM, no BACKUP.
What grants do not cover is in guard.py.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

BI_PROFILE = "bi"
GRANTS = (
    "GRANT SHOW, SELECT, INSERT, ALTER TABLE, ALTER VIEW, CREATE DATABASE, CREATE TABLE, CREATE VIEW, "
    "CREATE TEMPORARY TABLE, CREATE ARBITRARY TEMPORARY TABLE, DROP DATABASE, DROP TABLE, DROP VIEW, "
    "TRUNCATE, OPTIMIZE, CHECK, UNDROP TABLE, KILL QUERY ON *.*",
)
# Of tables and databases. They keep what they hold in the data folder or in memory, and know no addresses.
ENGINES = (
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree",
    "VersionedCollapsingMergeTree", "CoalescingMergeTree", "Memory", "Null", "Log", "TinyLog", "StripeLog",
    "Set", "Join", "View", "MaterializedView", "Merge", "Buffer", "Atomic",
)  # fmt: skip
# Settings that name files or addresses, change the language, or open experiments: fixed for everybody.
FIXED = (
    "dialect", "allow_experimental_prql_dialect", "allow_experimental_kusto_dialect",
    "allow_experimental_polyglot_dialect", "enable_json_ast_dialect", "enable_trino_dialect",
    "implicit_select", "implicit_table_at_top_level",
    "format_schema", "format_schema_source", "output_format_schema",
    "format_template_row", "format_template_resultset", "input_format_record_errors_file_path",
    "format_avro_schema_registry_url", "url_base", "s3_base", "rename_files_after_processing",
    "allow_experimental_eval_table_function", "allow_experimental_ai_functions",
    "allow_introspection_functions", "default_normal_view_sql_security",
    "default_materialized_view_sql_security", "merge_tree_disk", "merge_tree_table_disk",
)  # fmt: skip
MEGABYTE = 1_000_000
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class QueryLimits:
    """What one query may take; 0 is no limit."""

    execution_s: int
    most_execution_s: int  # that a client may ask for
    memory_bytes: int
    result_rows: int
    result_bytes: int
    rows_to_read: int
    threads: int = 0  # that one query runs in


# Our own commands read whole months and recompute everything; only what would not fit into memory is refused.
OWNER_LIMITS = QueryLimits(0, 0, 0, 0, 500 * MEGABYTE, 0)
# The same as deploy/clickhouse/users.d/bi.xml has for a server.
BI_LIMITS = QueryLimits(
    30, 120, 2000 * MEGABYTE, 1_000_000, 500 * MEGABYTE, 2_000_000_000, threads=max(1, CORES // 2)
)
# What `bi` asks stands back, block by block, while a statement of ours runs, but no longer than this; and
# where we may say so, its threads have less of the CPU.
BEFORE_BI = {"priority": 1}
GIVING_WAY = {"priority": 10, "low_priority_query_wait_time_ms": 100, "os_threads_nice_value_query": 10}


def write_configuration(folder: Path, memory_bytes: int) -> Path:
    """Write the engine's configuration into a folder; gives the file to start it with. Raises OSError."""
    users, main = folder / "users.xml", folder / "config.xml"
    users.write_text(_users(memory_bytes), encoding="utf-8")
    path = escape(str(users))
    main.write_text(
        f"<clickhouse>\n<user_directories><users_xml><path>{path}</path></users_xml></user_directories>\n</clickhouse>\n",
        encoding="utf-8",
    )
    return main


def _users(memory_bytes: int) -> str:
    grants = [*GRANTS, *(f"GRANT TABLE ENGINE ON {name}" for name in ENGINES)]
    queries = "".join(f"<query>{grant}</query>\n" for grant in grants)
    return f"""<clickhouse>
<profiles>
<default>{_limits(OWNER_LIMITS, memory_bytes)}
<constraints>{_fixed()}</constraints></default>
<{BI_PROFILE}>{_limits(BI_LIMITS, memory_bytes)}
<constraints>{_fixed()}{_bounds(memory_bytes)}</constraints></{BI_PROFILE}>
</profiles>
<users><default><password></password><profile>default</profile><quota>default</quota>
<networks><ip>::/0</ip></networks><grants>
{queries}</grants></default></users>
<quotas><default/></quotas>
</clickhouse>
"""


def limits_of(read_only: bool, memory_bytes: int) -> dict[str, str]:
    """The limits as settings. chDB's SET profile takes over its constraints, and of its values none."""
    limits = _settings(BI_LIMITS if read_only else OWNER_LIMITS, memory_bytes)
    limits |= GIVING_WAY if read_only else BEFORE_BI
    return {name: str(value) for name, value in limits.items() if value}


def _settings(limits: QueryLimits, memory_bytes: int) -> dict[str, int]:
    return {
        "max_execution_time": limits.execution_s,
        "max_memory_usage": min(limits.memory_bytes, memory_bytes // 2) if limits.memory_bytes else 0,
        "max_result_rows": limits.result_rows,
        "max_result_bytes": limits.result_bytes,
        "max_rows_to_read": limits.rows_to_read,
        "max_threads": limits.threads,
    }


def _limits(limits: QueryLimits, memory_bytes: int) -> str:
    values = _settings(limits, memory_bytes) | {"allow_introspection_functions": 0, "implicit_select": 0}
    return "".join(f"<{n}>{v}</{n}>" for n, v in values.items())


def _bounds(memory_bytes: int) -> str:
    """How far a client of BI may lift its limits: its time only, and 0, no limit, never."""
    most = _settings(BI_LIMITS, memory_bytes) | {"max_execution_time": BI_LIMITS.most_execution_s}
    bounds = {name: (1, value) for name, value in most.items()}
    bounds |= {name: (value, value) for name, value in GIVING_WAY.items()}
    return "".join(f"<{n}><min>{least}</min><max>{v}</max></{n}>" for n, (least, v) in bounds.items())


def _fixed() -> str:
    return "".join(f"<{name}><readonly/></{name}>" for name in FIXED)
