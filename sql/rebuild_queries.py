"""SQL of a rebuild: rows that stand otherwise than recomputed, in tables of their own, and what stood before.

Statements that look for rows among others do so slice by slice (`slices`, `slice`): keys are in memory.
A row's version is that of its partition, `versions`, which lies between what the stream had written and what
it will write (docs/adr/0011-rebuild-by-version.md). Relations are table names, or SELECTs in brackets.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence
from dataclasses import dataclass

from sql.oracle_queries import AGENT_PARTITION, CONTACT_PARTITION, CUSTOMER_PARTITION
from sql.oracle_slices import sliced
from sql.templates import fill
from sql.verify_queries import FactTable, TallyTable, paired_facts, paired_windows, quoted

# Contacts that any variant of an event puts into one of these queues, and those that they call back.
NAMED = (
    "SELECT contact_id FROM events WHERE queue IN {queues:Array(String)} "
    "OR to_queue IN {queues:Array(String)}"
)
OF_QUEUES = (
    f"(contact_id IN ({NAMED}) OR contact_id IN (SELECT assumeNotNull(callback_of) FROM events "
    f"WHERE isNotNull(callback_of) AND contact_id IN ({NAMED})))"
)
IN_QUEUES = "queue IN {queues:Array(String)}"


@dataclass(frozen=True, slots=True)
class Target:
    """A table to be rebuilt: its keys and other columns, and how the partition of a row is found in SQL."""

    table: str
    stage: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    partition: str
    facts: bool

    @property
    def key(self) -> str:
        """The keys, as SQL."""
        return ", ".join(self.keys)

    @property
    def deleted(self) -> str:
        """What follows `version`."""
        return ", is_deleted" if self.facts else ""


def row_partition(table: str, partitions: int) -> str:
    """Partition of a row's source, as the stream has it: schemas.placement, streams.stages.forwards."""
    return {
        "kpi_windows": "partition",
        "fcr_windows": "partition",
        "fcr": f"{CUSTOMER_PARTITION} % {partitions:d}",
        "agent_quarters": f"{AGENT_PARTITION} % {partitions:d}",
    }.get(table, f"{CONTACT_PARTITION} % {partitions:d}")


def windows(target: Target, into: str, pair: TallyTable, queues: bool) -> str:
    """Fill a table with windows that differ."""
    return fill(
        "rebuild",
        "windows",
        target=into,
        key=target.key,
        columns=", ".join(target.columns),
        picked=", ".join(f"oracle_tally[{n}]" for n in range(1, len(target.columns) + 1)),
        paired=paired_windows(pair),
        only=IN_QUEUES if queues else "1",
    )


def differing_facts(facts: FactTable, queues: bool) -> str:
    """Keys of the facts that differ."""
    only = OF_QUEUES if queues else "1"
    return f"SELECT {', '.join(facts.keys)} FROM {paired_facts(facts)} WHERE differs AND {only}"


def keys_table(target: Target, into: str) -> str:
    """A table for keys of facts."""
    return (
        f"CREATE TABLE {into} ENGINE = MergeTree ORDER BY ({target.key}) "
        f"EMPTY AS SELECT {target.key} FROM {target.table}"
    )


def facts(target: Target, into: str, oracle: str, keys: str) -> str:
    """Fill a table with the facts of these keys, as recomputed."""
    return fill(
        "rebuild", "facts", target=into, oracle=oracle, keys=sliced(keys, target.key), **parts(target)
    )


def facts_gone(target: Target, into: str, keys: str) -> str:
    """Fill a table with deletions of the facts of these keys that were not recomputed."""
    return fill(
        "rebuild",
        "facts_gone",
        target=into,
        table=target.table,
        keys=sliced(keys, target.key),
        made=sliced(into, target.key),
        **parts(target),
    )


def parts(target: Target) -> dict[str, str]:
    """What the texts of facts have in common."""
    return {"key": target.key, "columns": ", ".join(target.columns), "partition": target.partition}


def before(target: Target, into: str, rebuilt: str) -> str:
    """Fill a table with what stands of the rows that were rebuilt."""
    of_slice = sliced(rebuilt, target.key)
    names = {"target": into, "table": target.table, "rebuilt": of_slice, "key": target.key}
    columns = ", ".join(target.columns)
    if target.facts:
        return fill("rebuild", "facts_before", columns=columns, **names)
    zeros = ", ".join(f"toInt64(0) AS {name}" for name in target.columns)
    return fill("rebuild", "windows_before", columns=columns, zeros=zeros, **names)


def still_due(target: Target, into: str, draft: str) -> str:
    """Fill a table with the rows of a draft that the stream has not overtaken."""
    return fill(
        "rebuild",
        "still_due",
        target=into,
        draft=sliced(draft, target.key),
        table=target.table,
        deleted=target.deleted,
        **parts(target),
    )


def undone(target: Target, into: str, stood: str, rebuilt: str) -> str:
    """Fill a table with what stood before, where the rebuild's row still stands."""
    return fill(
        "rebuild",
        "undone",
        target=into,
        before=stood,
        rebuilt=rebuilt,
        table=target.table,
        deleted=target.deleted,
        **parts(target),
    )


def epochs(targets: Sequence[Target]) -> str:
    """A row per partition of a stage: row_partition, epoch."""
    rows = (
        f"SELECT toUInt32({target.partition}) AS row_partition, intDiv(version, 1099511627776) AS row_epoch "
        f"FROM {target.table}"
        for target in targets
    )
    return fill("rebuild", "epochs", rows=" UNION ALL ".join(rows))


def published(target: Target, rebuilt: str) -> str:
    """What readers see of windows from now on, for the log of it."""
    names = quoted(target.columns)
    sums = f"mapFromArrays({names}, [{', '.join(target.columns)}])"
    days = "days" if "days" in target.keys else "toUInt16(0) AS days"
    return (
        "INSERT INTO published_windows (window_start, channel, queue, days, partition, measures, version) "
        f"SELECT window_start, channel, queue, {days}, partition, mapFilter((k, v) -> v != 0, {sums}), "
        f"version FROM {rebuilt}"
    )


def put_in_place(table: str, rebuilt: str) -> str:
    """All rows of a table of the same shape become rows of this one, all at once."""
    return f"ALTER TABLE {table} ATTACH PARTITION tuple() FROM {rebuilt}"


def causes(rebuilt: Sequence[str]) -> str:
    """By minute the events of the contacts in these tables."""
    relation = "(" + " UNION ALL ".join(f"SELECT contact_id FROM {table}" for table in rebuilt) + ")"
    return fill("rebuild", "causes", contacts=relation)
