"""The oracle at work: facts and windows recomputed by ClickHouse from raw events, in tables of a moment."""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle
from sql import oracle_slices
from sql.oracle_tables import Columns, columns_like, contacts_columns, folded_columns

# What the oracle may use. Measured with this cap: 250,000 contacts (2 million events) fit into one slice, a
# million do not, although ClickHouse may spill to disk.
MEMORY_BYTES = 1_500_000_000
CONTACTS_PER_SLICE = 250_000
SAMPLED_PER_SLICE = 500  # of so many contacts, so slices are of the same size by some 5 %
BEYOND = "FF"  # greater than any text in UTF-8, in hexadecimals
FCR_CONTACTS_PER_SLICE = 4_000_000
AGENT_LEGS_PER_SLICE = 2_000_000


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Names of the tables that hold what was recomputed. `contacts` has one column more, ivr_legs.

    `contacts_part` are the contacts of the slice that is at work.
    """

    folded: str
    legs: str
    contacts: str
    windows: str
    fcr: str
    fcr_windows: str
    agent_quarters: str
    contacts_part: str


@dataclass(frozen=True, slots=True)
class Step:
    """A table to be filled, slice by slice, from a SELECT.

    With `moved_to` it holds one slice at a time, which is then moved to that table, where it costs nothing.
    """

    table: str
    select: str
    order: str
    columns: Columns
    moved_to: str = ""


Part = dict[str, object]  # query parameters that say which slice


class TableFiller:
    """Fills tables of a moment within a memory limit."""

    def __init__(self, client: Client, rules: Rules, span: tuple[int, int] | None, memory_bytes: int) -> None:
        self._client = client
        self._parameters = rule_parameters(rules)
        if span is not None:
            self._parameters |= {"from_ms": span[0], "to_ms": span[1]}
        self._settings = oracle.settings(memory_bytes) | oracle.WIDE
        self._settings["insert_null_as_default"] = 0  # a NULL where none can be is an error, no zero

    def count(self, what: str, relation: str) -> int:
        """An aggregate of a relation."""
        result = self._client.query(f"SELECT {what} FROM {relation}", parameters=self._parameters)
        return int(result.result_rows[0][0])

    def ranges(self, events: str, contacts_per_slice: int) -> list[Part]:
        """Ranges of contact ids with about so many contacts each."""
        slices = self.count("uniq(contact_id)", events) // contacts_per_slice + 1
        bounds = [""]
        if slices > 1:
            sample = self._parameters | {"sample": max(contacts_per_slice // SAMPLED_PER_SLICE, 1)}
            found = self._client.query(
                oracle_slices.sample_of_contacts(events), parameters=sample
            ).result_rows
            # Of a few very many may be in no sample at all: then there are fewer ranges.
            bounds += sorted({found[len(found) * n // slices][0] for n in range(1, slices) if found})
        return [
            {"slice_begin": begin, "slice_end": end}
            for begin, end in zip(bounds, [*bounds[1:], BEYOND], strict=True)
        ]

    def hashes(self, slices: int) -> list[Part]:
        """So many slices by a hash."""
        return [{"slices": slices, "slice": number} for number in range(slices)]

    def fill(self, steps: Sequence[Step], parts: Sequence[Part]) -> None:
        """Do the steps, one after the other, for each slice."""
        for step in steps:
            self._create(step)
        for part in parts:
            for step in steps:
                names = ", ".join(step.columns)
                insert = f"INSERT INTO {step.table} ({names}) SELECT {names} FROM {step.select}"
                self.do(step, insert, self._parameters | part)
            for step in steps:
                if step.moved_to:
                    self._client.command(
                        f"ALTER TABLE {step.table} MOVE PARTITION tuple() TO TABLE {step.moved_to}"
                    )

    def _create(self, step: Step) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in step.columns.items())
        self._client.command(
            f"CREATE TABLE {step.table} ({columns}) ENGINE = MergeTree ORDER BY {step.order} "
            "SETTINGS allow_nullable_key = 1"
        )
        if step.moved_to:
            self._client.command(f"CREATE TABLE {step.moved_to} AS {step.table}")

    def do(self, step: Step, statement: str, part: Part) -> None:
        """One slice of a step."""
        self._client.command(statement, parameters=part, settings=self._settings)

    def drop(self, tables: Sequence[str]) -> None:
        """Remove these tables, whether they were made or not."""
        for table in tables:
            self._client.command(f"DROP TABLE IF EXISTS {table}")


def contact_steps(tables: Recomputed, events: str, partitions: int) -> list[Step]:
    """Fold, legs, contacts, windows; contacts lie by customer, as first contact resolution reads them."""
    part, folded, legs = (oracle_slices.ranged(one) for one in (events, tables.folded, tables.legs))
    contacts, order = tables.contacts_part, "(customer_key, contact_id)"
    measures = LEG_MEASURES, CONTACT_MEASURES, OFFER_MEASURES
    windows = oracle.windows(folded, *measures, legs, contacts, partitions)
    return [
        Step(tables.folded, oracle.fold(part), "contact_id", folded_columns()),
        Step(tables.legs, oracle.legs(folded), "contact_id", columns_like("legs")),
        Step(contacts, oracle.contacts(folded, with_ivr=True), order, contacts_columns(), tables.contacts),
        Step(tables.windows, windows, "window_start", columns_like("kpi_windows", partitions)),
    ]


def fcr_step(tables: Recomputed, ranged: bool) -> Step:
    """Repeat contacts; in a range only of customers all of whose contacts were folded."""
    known = oracle.of_customers_in_range(tables.contacts) if ranged else tables.contacts
    select = oracle.fcr(oracle_slices.sliced(known, "customer_key"))
    return Step(tables.fcr, select, "customer_key", columns_like("fcr"))


def fcr_windows_step(tables: Recomputed, partitions: int) -> Step:
    """Windows of first contact resolution, from the repeat contacts of a slice."""
    facts = oracle_slices.sliced(tables.fcr, "customer_key")
    select = oracle.fcr_windows(facts, partitions)
    return Step(tables.fcr_windows, select, "window_start", columns_like("fcr_windows", partitions))


def agent_step(tables: Recomputed) -> Step:
    """What agents did in each quarter-hour, from their legs and their state events."""
    legs = oracle_slices.sliced(tables.legs, "agent")
    select = oracle.agent_quarters(legs, oracle_slices.sliced(oracle.AGENT_EVENTS, "agent"))
    return Step(tables.agent_quarters, select, "agent", columns_like("agent_quarters"))


@contextmanager
def recomputed(
    client: Client,
    rules: Rules,
    span: tuple[int, int] | None,
    memory_bytes: int = MEMORY_BYTES,
    raw: str = oracle.EVENTS,
    partitions: int = 0,
) -> Iterator[Recomputed]:
    """Recompute everything, or what books in `span` ([from, to) in UTC ms, whole minutes), into tables.

    They are made anew for each use and dropped at the end; several may be at it at once. With a span they
    also hold parts of what lies outside of it: readers keep to the span, as `sql.verify_queries` does.
    `raw` is the relation that raw events are read from. With `partitions` windows are those of each partition
    of the stream, which has so many, and have a column of that name.
    """
    suffix = uuid4().hex[:12]
    tables = Recomputed(*(f"oracle_{field.name}_{suffix}" for field in fields(Recomputed)))
    events = oracle.touching(raw) if span is not None else raw
    filler = TableFiller(client, rules, span, memory_bytes)
    try:
        filler.fill(contact_steps(tables, events, partitions), filler.ranges(events, CONTACTS_PER_SLICE))
        contacts = filler.count("count()", tables.contacts)
        customers = filler.hashes(contacts // FCR_CONTACTS_PER_SLICE + 1)
        filler.fill([fcr_step(tables, span is not None)], customers)
        filler.fill([fcr_windows_step(tables, partitions)], customers)
        legs = filler.count("count()", tables.legs)
        filler.fill([agent_step(tables)], filler.hashes(legs // AGENT_LEGS_PER_SLICE + 1))
        yield tables
    finally:
        filler.drop(astuple(tables))
