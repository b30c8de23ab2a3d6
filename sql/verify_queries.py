"""SQL that compares the stream's tables with the oracle.

No joins: both sides are stacked and grouped by key, so that a key missing on one side cannot be lost to a
join default. Relations are table names or SELECTs in brackets; with `ranged`, statements take from_ms and
to_ms (whole minutes), and the oracle is to be made from `oracle.touching()`: both sides are cut to the range.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sql import oracle_queries as oracle

IN_RANGE = (
    "{0} >= fromUnixTimestamp64Milli({{from_ms:Int64}}, 'UTC') "
    "AND {0} < fromUnixTimestamp64Milli({{to_ms:Int64}}, 'UTC')"
)


class Scope(Enum):
    """Which rows belong to a range of time."""

    window = IN_RANGE.format("window_start")
    contact = f"contact_id IN {oracle.in_range()}"
    customer = f"customer_key IN {oracle.customers_in_range()}"


@dataclass(frozen=True, slots=True)
class TallyTable:
    """Tallies to compare: a table of the stream's and the oracle's relation."""

    table: str
    relation: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class FactTable:
    """FactTable to compare. `columns` are those beside the keys, without version."""

    table: str
    relation: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    scope: Scope
    ranged: bool = False


def quoted(names: Sequence[str]) -> str:
    """Names as an array of strings."""
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def within(column: str, ranged: bool) -> str:
    """WHERE for [from_ms, to_ms), or nothing."""
    return f"WHERE {IN_RANGE.format(column)}" if ranged else ""


def paired_windows(windows: TallyTable) -> str:
    """Both tallies of every window that is not all zeros on both sides: stream_tally, oracle_tally.

    Not sumForEachIf: of a window that one side lacks it makes NULLs, which differ from nothing.
    """
    key = ", ".join(windows.keys)
    tally = "[" + ", ".join(windows.measures) + "]"
    zeros = f"arrayWithConstant({len(windows.measures)}, toInt64(0))"
    where = within("window_start", windows.ranged)
    return f"""(
    SELECT {key},
        sumForEach(if(side = 'stream', tally, {zeros})) AS stream_tally,
        sumForEach(if(side = 'oracle', tally, {zeros})) AS oracle_tally
    FROM (
        SELECT {key}, 'stream' AS side, {tally} AS tally FROM {windows.table} FINAL {where}
        UNION ALL
        SELECT {key}, 'oracle' AS side, {tally} AS tally FROM {windows.relation} {where}
    )
    GROUP BY {key}
    HAVING arrayExists(v -> v != 0, stream_tally) OR arrayExists(v -> v != 0, oracle_tally)
)"""


def window_counts(windows: TallyTable) -> str:
    """One row: compared_windows, compared_values, differing_windows, differing_values."""
    return f"""SELECT count() AS compared_windows,
    {len(windows.measures)} * compared_windows AS compared_values,
    countIf(stream_tally != oracle_tally) AS differing_windows,
    sum(arrayCount((s, o) -> s != o, stream_tally, oracle_tally)) AS differing_values
FROM {paired_windows(windows)}"""


def window_differences(windows: TallyTable, limit: int) -> str:
    """A row per differing window: its key, and the differing measures as (name, stream, oracle)."""
    key = ", ".join(windows.keys)
    return f"""SELECT {key},
    arrayFilter(d -> d.2 != d.3,
        arrayZip({quoted(windows.measures)}, stream_tally, oracle_tally)) AS differences
FROM {paired_windows(windows)}
WHERE stream_tally != oracle_tally
ORDER BY {key}
LIMIT {limit:d}"""


def stacked_facts(facts: FactTable) -> str:
    """All facts of both sides: keys, side, and `texts`, the columns' values as text or NULL."""
    texts = "[" + ", ".join(f"toString({column})" for column in facts.columns) + "]"
    key = ", ".join(facts.keys)
    scope = facts.scope.value if facts.ranged else "1"
    return f"""(
        SELECT {key}, 'stream' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts
        FROM {facts.table} FINAL WHERE is_deleted = 0 AND {scope}
        UNION ALL
        SELECT {key}, 'oracle' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts
        FROM {facts.relation} WHERE {scope}
    )"""


def paired_facts(facts: FactTable) -> str:
    """One row per key with `differs`. Compared by 128-bit hashes: whole rows of millions would not fit."""
    key = ", ".join(facts.keys)
    return f"""(
    SELECT {key},
        countIf(side = 'stream') != 1 OR countIf(side = 'oracle') != 1
            OR minIf(digest, side = 'stream') != minIf(digest, side = 'oracle') AS differs
    FROM (
        SELECT {key}, side, sipHash128(toString(texts)) AS digest
        FROM {stacked_facts(facts)}
    )
    GROUP BY {key}
)"""


def fact_counts(facts: FactTable) -> str:
    """One row: compared_facts, differing_facts."""
    return f"SELECT count() AS compared_facts, countIf(differs) AS differing_facts FROM {paired_facts(facts)}"


def fact_differences(facts: FactTable, limit: int) -> str:
    """A row per differing fact: keys, rows on each side, differences as (column, stream, oracle)."""
    key = ", ".join(facts.keys)
    differing = f"SELECT {key} FROM {paired_facts(facts)} WHERE differs ORDER BY {key} LIMIT {limit:d}"
    return f"""SELECT {key}, stream_rows, oracle_rows,
    arrayFilter(d -> NOT (d.2 <=> d.3),
        arrayZip({quoted(facts.columns)}, stream_texts, oracle_texts)) AS differences
FROM (
    SELECT {key}, countIf(side = 'stream') AS stream_rows, countIf(side = 'oracle') AS oracle_rows,
        arrayResize(anyIf(texts, side = 'stream'), {len(facts.columns)}, NULL) AS stream_texts,
        arrayResize(anyIf(texts, side = 'oracle'), {len(facts.columns)}, NULL) AS oracle_texts
    FROM {stacked_facts(facts)}
    WHERE ({key}) IN ({differing})
    GROUP BY {key}
)
ORDER BY {key}"""
