"""SQL that compares the stream's tables with the oracle.

No joins: both sides are stacked and grouped by key, so that a key missing on one side cannot be lost to a
join default. Relations are table names or SELECTs in brackets; with `ranged`, statements take from_ms and
to_ms (whole minutes), and the oracle is to be made from `oracle.touching()`.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence

from sql.oracle import EVENTS

IN_RANGE = (
    "{0} >= fromUnixTimestamp64Milli({{from_ms:Int64}}, 'UTC') "
    "AND {0} < fromUnixTimestamp64Milli({{to_ms:Int64}}, 'UTC')"
)
WINDOW_KEY = "window_start, channel, queue"


def quoted(names: Sequence[str]) -> str:
    """Names as an array of strings."""
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def within(column: str, ranged: bool) -> str:
    """WHERE for [from_ms, to_ms), or nothing."""
    return f"WHERE {IN_RANGE.format(column)}" if ranged else ""


def paired_windows(windows: str, measures: Sequence[str], ranged: bool = False) -> str:
    """Both tallies of every window that is not all zeros on both sides: stream_tally, oracle_tally.

    Not sumForEachIf: of a window that one side lacks it makes NULLs, which differ from nothing.
    """
    tally = "[" + ", ".join(measures) + "]"
    zeros = f"arrayWithConstant({len(measures)}, toInt64(0))"
    where = within("window_start", ranged)
    return f"""(
    SELECT {WINDOW_KEY},
        sumForEach(if(side = 'stream', tally, {zeros})) AS stream_tally,
        sumForEach(if(side = 'oracle', tally, {zeros})) AS oracle_tally
    FROM (
        SELECT {WINDOW_KEY}, 'stream' AS side, {tally} AS tally FROM kpi_windows FINAL {where}
        UNION ALL
        SELECT {WINDOW_KEY}, 'oracle' AS side, {tally} AS tally FROM {windows} {where}
    )
    GROUP BY {WINDOW_KEY}
    HAVING arrayExists(v -> v != 0, stream_tally) OR arrayExists(v -> v != 0, oracle_tally)
)"""


def window_counts(windows: str, measures: Sequence[str], ranged: bool = False) -> str:
    """One row: compared_windows, compared_values, differing_windows, differing_values."""
    return f"""SELECT count() AS compared_windows, {len(measures)} * compared_windows AS compared_values,
    countIf(stream_tally != oracle_tally) AS differing_windows,
    sum(arrayCount((s, o) -> s != o, stream_tally, oracle_tally)) AS differing_values
FROM {paired_windows(windows, measures, ranged)}"""


def window_differences(windows: str, measures: Sequence[str], limit: int, ranged: bool = False) -> str:
    """A row per differing window: its key, and the differing measures as (name, stream, oracle)."""
    return f"""SELECT {WINDOW_KEY},
    arrayFilter(d -> d.2 != d.3, arrayZip({quoted(measures)}, stream_tally, oracle_tally)) AS differences
FROM {paired_windows(windows, measures, ranged)}
WHERE stream_tally != oracle_tally
ORDER BY {WINDOW_KEY}
LIMIT {limit:d}"""


def stacked_facts(table: str, keys: Sequence[str], columns: Sequence[str], facts: str, ranged: bool) -> str:
    """All facts of both sides: keys, side, and `texts`, the columns' values as text or NULL."""
    texts = "[" + ", ".join(f"toString({column})" for column in columns) + "]"
    key = ", ".join(keys)
    touched = f"AND contact_id IN (SELECT contact_id FROM {EVENTS} {within('occurred_at', True)})"
    return f"""(
        SELECT {key}, 'stream' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts
        FROM {table} FINAL WHERE is_deleted = 0 {touched if ranged else ""}
        UNION ALL
        SELECT {key}, 'oracle' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts FROM {facts}
    )"""


def paired_facts(table: str, keys: Sequence[str], columns: Sequence[str], facts: str, ranged: bool) -> str:
    """One row per key with `differs`. Compared by 128-bit hashes: whole rows of millions would not fit."""
    key = ", ".join(keys)
    return f"""(
    SELECT {key},
        countIf(side = 'stream') != 1 OR countIf(side = 'oracle') != 1
            OR minIf(digest, side = 'stream') != minIf(digest, side = 'oracle') AS differs
    FROM (
        SELECT {key}, side, sipHash128(toString(texts)) AS digest
        FROM {stacked_facts(table, keys, columns, facts, ranged)}
    )
    GROUP BY {key}
)"""


def fact_counts(
    table: str, keys: Sequence[str], columns: Sequence[str], facts: str, ranged: bool = False
) -> str:
    """One row: compared_facts, differing_facts. `columns` are those to compare, without version."""
    return (
        "SELECT count() AS compared_facts, countIf(differs) AS differing_facts "
        f"FROM {paired_facts(table, keys, columns, facts, ranged)}"
    )


def fact_differences(
    table: str, keys: Sequence[str], columns: Sequence[str], facts: str, limit: int, ranged: bool = False
) -> str:
    """A row per differing fact: keys, rows on each side, differences as (column, stream, oracle)."""
    key = ", ".join(keys)
    differing = (
        f"SELECT {key} FROM {paired_facts(table, keys, columns, facts, ranged)} "
        f"WHERE differs ORDER BY {key} LIMIT {limit:d}"
    )
    return f"""SELECT {key}, stream_rows, oracle_rows,
    arrayFilter(d -> NOT (d.2 <=> d.3),
        arrayZip({quoted(columns)}, stream_texts, oracle_texts)) AS differences
FROM (
    SELECT {key}, countIf(side = 'stream') AS stream_rows, countIf(side = 'oracle') AS oracle_rows,
        arrayResize(anyIf(texts, side = 'stream'), {len(columns)}, NULL) AS stream_texts,
        arrayResize(anyIf(texts, side = 'oracle'), {len(columns)}, NULL) AS oracle_texts
    FROM {stacked_facts(table, keys, columns, facts, ranged)}
    WHERE ({key}) IN ({differing})
    GROUP BY {key}
)
ORDER BY {key}"""
