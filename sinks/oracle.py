"""The oracle at work: facts and windows recomputed by ClickHouse from raw events, in tables of a moment."""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from kpis.tally import ENTERED, HANDLED, MEASURES
from sql import oracle

LEG_MEASURES = (*ENTERED, *HANDLED)
CONTACT_MEASURES = tuple(name for name in MEASURES if name not in LEG_MEASURES)
# What the oracle may use. Measured with this cap: 250,000 contacts (2 million events) fit into one slice, a
# million do not, although ClickHouse may spill to disk.
MEMORY_BYTES = 1_500_000_000
CONTACTS_PER_SLICE = 250_000


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Names of the tables that hold the folded legs and the windows."""

    folded: str
    windows: str


def rule_parameters(rules: Rules) -> dict[str, object]:
    """The rules as query parameters."""
    return oracle.parameters(
        tolerance_ms=rules.skew_tolerance_ms,
        short_abandon_ms=rules.short_abandon_ms,
        survey_late_ms=rules.survey_late_ms,
        async_channels=rules.async_channels,
        target_by_queue_ms=rules.service_level_by_queue_ms,
        target_by_channel_ms=rules.service_level_ms,
        target_default_ms=rules.service_level_default_ms,
    )


@contextmanager
def recomputed(
    client: Client, rules: Rules, span: tuple[int, int] | None, memory_bytes: int = MEMORY_BYTES
) -> Iterator[Recomputed]:
    """Fold all events, or those of contacts with an event in `span` ([from, to) in UTC ms), into two tables.

    They are made anew for each use and dropped at the end; several may be at it at once.
    """
    suffix = uuid4().hex[:12]
    tables = Recomputed(f"oracle_fold_{suffix}", f"oracle_windows_{suffix}")
    parameters = rule_parameters(rules)
    if span is not None:
        parameters |= {"from_ms": span[0], "to_ms": span[1]}
    events = oracle.touching() if span is not None else oracle.EVENTS
    count = client.query(f"SELECT uniq(contact_id) FROM {events}", parameters=parameters).result_rows[0][0]
    slices = count // CONTACTS_PER_SLICE + 1
    settings = oracle.settings(memory_bytes)
    try:
        for number in range(slices):
            part = parameters | {"slices": slices, "slice": number}
            windows = oracle.windows(oracle.sliced(tables.folded), LEG_MEASURES, CONTACT_MEASURES)
            fold = oracle.fold(oracle.sliced(events))
            steps = ((tables.folded, fold, "contact_id"), (tables.windows, windows, "window_start"))
            for table, select, order in steps:
                if number == 0:
                    create = f"CREATE TABLE {table} ENGINE = MergeTree ORDER BY {order} EMPTY AS "
                    client.command(create + f"SELECT * FROM {select}", parameters=part)
                insert = f"INSERT INTO {table} SELECT * FROM {select}"
                client.command(insert, parameters=part, settings=settings)
        yield tables
    finally:
        for table in (tables.windows, tables.folded):
            client.command(f"DROP TABLE IF EXISTS {table}")
