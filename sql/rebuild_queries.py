"""SQL of a rebuild: rows that stand otherwise than recomputed, in tables of their own, and what stood before.

Where nothing stands nothing is compared: all rows are made.
Statements that look for rows among others do so slice by slice (`slices`, `slice`): keys are in memory.
A row's version is that of its partition, `versions`, which lies between what the stream had written and what
it will write (docs/adr/0011-rebuild-by-version.md). Relations are table names, or SELECTs in brackets.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence
from dataclasses import dataclass

from sql.oracle_queries import AGENT_PARTITION, CONTACT_PARTITION, CUSTOMER_PARTITION
from sql.oracle_slices import sliced
from sql.templates import compose, fill
from sql.verify_queries import (
    FactTable,
    Scope,
    TallyTable,
    number_of,
    paired_facts,
    paired_windows,
    quoted,
)

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


def differing(pair: FactTable | TallyTable, queues: bool) -> str:
    """Keys of the rows that differ."""
    paired = paired_facts(pair) if isinstance(pair, FactTable) else paired_windows(pair)
    which = of_queues(isinstance(pair, FactTable), queues)
    return f"SELECT {', '.join(pair.keys)} FROM {paired} WHERE differs AND {which}"


def of_queues(facts: bool, queues: bool) -> str:
    """Condition on what is made: all, or what concerns the queues asked for."""
    if not queues:
        return "1"
    return OF_QUEUES if facts else IN_QUEUES


def in_scope(pair: FactTable | TallyTable) -> str:
    """Condition on a row: of the range that is compared."""
    if not pair.ranged:
        return "1"
    return (pair.scope if isinstance(pair, FactTable) else Scope.window).value


def standing(pair: FactTable | TallyTable) -> str:
    """A row if there is any in the stream's table, of the range."""
    return f"SELECT 1 FROM {pair.table} WHERE {in_scope(pair)} LIMIT 1"


def all_of(pair: FactTable | TallyTable, queues: bool) -> str:
    """Condition on what was recomputed: all of it that is to be made."""
    return f"({in_scope(pair)}) AND {of_queues(isinstance(pair, FactTable), queues)}"


def of_keys(target: Target, keys: str) -> str:
    """Condition on what was recomputed: the keys of a slice."""
    return f"({target.key}) IN (SELECT {target.key} FROM {sliced(keys, target.key)})"


def keys_table(target: Target, into: str) -> str:
    """A table for keys of facts."""
    return (
        f"CREATE TABLE {into} ENGINE = MergeTree ORDER BY ({target.key}) "
        f"EMPTY AS SELECT {target.key} FROM {target.table}"
    )


def made(target: Target, into: str, oracle: str, which: str) -> str:
    """Fill a table with rows as recomputed."""
    if target.facts:
        return fill("rebuild", "facts", target=into, oracle=oracle, which=which, **parts(target))
    return fill(
        "rebuild",
        "windows",
        target=into,
        oracle=oracle,
        which=which,
        key=target.key,
        columns=", ".join(target.columns),
        sums=", ".join(f"sum({name})" for name in target.columns),
        number=number_of(target.columns),
    )


def gone(target: Target, into: str, keys: str) -> str:
    """Fill a table with deletions of the rows of these keys that were not recomputed."""
    places = {"target": into, "keys": sliced(keys, target.key), "made": sliced(into, target.key)}
    if target.facts:
        return fill("rebuild", "facts_gone", table=target.table, **places, **parts(target))
    return fill("rebuild", "windows_gone", key=target.key, **places)


def parts(target: Target) -> dict[str, str]:
    """What the texts of facts have in common."""
    return {"key": target.key, "columns": ", ".join(target.columns), "partition": target.partition}


def before(target: Target, into: str, rebuilt: str) -> str:
    """Fill a table with what stands of the rows that were rebuilt."""
    return fill(
        "rebuild",
        "facts_before" if target.facts else "windows_before",
        target=into,
        table=target.table,
        rebuilt=sliced(rebuilt, target.key),
        key=target.key,
        columns=", ".join(target.columns),
    )


def overtaken(target: Target) -> str:
    """Keys of rows that the stream has written since the line of versions `drawn`."""
    places = {"table": target.table, "key": target.key, "partition": target.partition}
    return compose("rebuild", "overtaken", **places)


def any_overtaken(target: Target) -> str:
    """A row if there is any such key."""
    return f"SELECT 1 FROM {overtaken(target)} LIMIT 1"


def still_due(target: Target, into: str, draft: str) -> str:
    """Fill a table with the rows of a draft that the stream has not overtaken."""
    return fill(
        "rebuild",
        "still_due",
        target=into,
        draft=sliced(draft, target.key),
        overtaken=sliced(overtaken(target), target.key),
        key=target.key,
        columns=", ".join(target.columns),
        deleted=target.deleted,
    )


def undone(target: Target, into: str, stood: str, rebuilt: str) -> str:
    """Fill a table with what stood before, where the rebuild's row still stands."""
    version = f"arrayElement({{versions:Array(UInt64)}}, {target.partition} + 1)"
    columns = ", ".join(target.columns if target.facts else ["toInt64(0)"] * len(target.columns))
    return fill(
        "rebuild",
        "undone",
        target=into,
        before=sliced(stood, target.key),
        rebuilt=sliced(rebuilt, target.key),
        overtaken=sliced(overtaken(target), target.key),
        nothing=f"{columns}, {version}" + (", toUInt8(1)" if target.facts else ""),
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
