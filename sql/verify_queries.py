"""SQL that compares the stream's tables with the oracle.

No joins: both sides are stacked and grouped by key, so that a key missing on one side cannot be lost to a
join default. Relations are table names or SELECTs in brackets; with `ranged`, statements take from_ms and
to_ms (whole minutes), and the oracle is to be made from `oracle.touching()`: both sides are cut to the range.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from sql import oracle_queries as oracle
from sql.templates import compose, fill

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
    """Facts to compare. `columns` are those beside the keys, without version."""

    table: str
    relation: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    scope: Scope
    ranged: bool = False


def quoted(names: Sequence[str]) -> str:
    """Names as an array of strings."""
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def within_ms(column: str) -> str:
    """Condition on a time: in [from_ms, to_ms)."""
    return IN_RANGE.format(column)


def within(column: str, ranged: bool) -> str:
    """WHERE for [from_ms, to_ms), or nothing."""
    return f"WHERE {IN_RANGE.format(column)}" if ranged else ""


def number_of(measures: Sequence[str]) -> str:
    """One number for all measures of a window: each times an odd number of its own, summed (mod 2^64)."""
    return " + ".join(f"{name} * {factor(name)}" for name in measures)


def factor(measure: str) -> int:
    """An odd number that has no pattern, always the same for a measure."""
    return int.from_bytes(blake2b(measure.encode(), digest_size=8).digest()) | 1


def sides(windows: TallyTable) -> dict[str, str]:
    """What the texts of windows have in common."""
    return {
        "key": ", ".join(windows.keys),
        "stream": windows.table,
        "oracle": windows.relation,
        "where": within("window_start", windows.ranged),
    }


def paired_windows(windows: TallyTable) -> str:
    """One row per window that is not all zeros on both sides, with `differs`."""
    return compose("verify", "paired_windows", number=number_of(windows.measures), **sides(windows))


def window_counts(windows: TallyTable) -> str:
    """One row: compared_windows, compared_values, differing_windows."""
    measures = str(len(windows.measures))
    return fill("verify", "window_counts", measures=measures, paired=paired_windows(windows))


def differing_windows(windows: TallyTable) -> str:
    """Both tallies of every window that differs: stream_tally, oracle_tally."""
    return compose(
        "verify",
        "differing_windows",
        tally="[" + ", ".join(windows.measures) + "]",
        zeros=f"arrayWithConstant({len(windows.measures)}, toInt64(0))",
        paired=paired_windows(windows),
        **sides(windows),
    )


def differing_values(windows: TallyTable) -> str:
    """One row: differing_values, of all windows that differ."""
    return (
        "SELECT sum(arrayCount((s, o) -> s != o, stream_tally, oracle_tally)) AS differing_values "
        f"FROM {differing_windows(windows)}"
    )


def window_differences(windows: TallyTable, limit: int) -> str:
    """A row per differing window: its key, and the differing measures as (name, stream, oracle)."""
    return fill(
        "verify",
        "window_differences",
        key=", ".join(windows.keys),
        names=quoted(windows.measures),
        differing=differing_windows(windows),
        limit=f"{limit:d}",
    )


def stacked_facts(facts: FactTable, values: str) -> str:
    """All facts of both sides: keys, side, and these values of each."""
    return compose(
        "verify",
        "stacked_facts",
        key=", ".join(facts.keys),
        values=values,
        stream=facts.table,
        oracle=facts.relation,
        scope=facts.scope.value if facts.ranged else "1",
    )


def paired_facts(facts: FactTable) -> str:
    """One row per key with `differs`."""
    columns = ", ".join(facts.columns)
    stacked = stacked_facts(facts, columns)
    return compose("verify", "paired_facts", key=", ".join(facts.keys), columns=columns, stacked=stacked)


def fact_counts(facts: FactTable) -> str:
    """How many facts were compared, and how many differ: one row."""
    return f"SELECT count() AS compared_facts, countIf(differs) AS differing_facts FROM {paired_facts(facts)}"


def fact_differences(facts: FactTable, limit: int) -> str:
    """A row per differing fact: keys, rows on each side, differences as (column, stream, oracle)."""
    listed = ", ".join(f"toString({column})" for column in facts.columns)
    return fill(
        "verify",
        "fact_differences",
        key=", ".join(facts.keys),
        names=quoted(facts.columns),
        columns=str(len(facts.columns)),
        stacked=stacked_facts(facts, f"CAST([{listed}], 'Array(Nullable(String))') AS texts"),
        paired=paired_facts(facts),
        limit=f"{limit:d}",
    )
