"""Repeat contacts by SQL and by Python: every fact and window, by every setting."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import product
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.worlds import ID_HEADS, random_customer
from test_oracle import assert_equal, plain

from kpis.facts import ContactFact, FcrFact
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import Visit, visit_of
from kpis.fold.events import fold
from kpis.rules import FcrRules, Rules
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution
from reports.oracle import MEMORY_BYTES
from schemas.events import ContactEvent
from schemas.time_units import DAY_MS
from sinks.rows import CONTACT_COLUMNS, fact_row
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle

pytestmark = pytest.mark.stack

SEED = 20_260_105
CUSTOMERS = 700  # of about five contacts of real events
VISITS = 3_200  # of facts made up, for each variant anew
START_MS = 1_767_571_200_000
VARIANTS = [
    FcrRules(
        windows_days=days,
        match_reason=reason,
        cross_channel=channel,
        begin=begin,
        evidence=evidence,
        anchors="closed" if days == (7,) else "handled",
        overlapping=overlapping,
    )
    for days, (reason, channel, overlapping, begin, evidence) in zip(
        [(1, 3, 7, 14, 30), (7,), (30, 1)] * 11,
        product((True, False), (True, False), (True, False), ("started", "entered"), ("any", "handled")),
        strict=False,
    )
]
# With gaps between the beginnings: a made-up contact begins 0, 1 or 137 ms beside a day.
VARIANTS += [FcrRules(windows_days=(3,), default_days=3, min_gap_ms=gap, overlapping=overlapping)
             for gap in (137, DAY_MS) for overlapping in (True, False)]  # fmt: skip
BLANK = {field.name: 0 if field.type is int else "" for field in fields(ContactFact)} | {
    field.name: None for field in fields(ContactFact) if "None" in str(field.type)
}
ENDS = [
    *[("resolved", "resolved")] * 4,
    *[("transferred", "callback")] * 2,
    *[("resolved", "unknown"), ("resolved", "unresolved"), ("abandoned", "queue"), ("", "")],
    ("transferred", "external"),
]
Key = tuple[Any, ...]


@dataclass
class World:
    """Tables `contacts` (of events) and `visits` (made up) and what Python knows of the former."""

    client: Client
    contacts: list[ContactFact]


def random_events(rng: random.Random) -> dict[str, list[ContactEvent]]:
    found: dict[str, list[ContactEvent]] = {}
    for number in range(CUSTOMERS):
        found |= random_customer(rng, f"k{number}")
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    client = connect(tmp_path_factory.mktemp("fcr") / "db")
    events = random_events(random.Random(SEED))
    load(client, (event for some in events.values() for event in some))
    client.command("CREATE TABLE visits AS contacts")
    client.command("CREATE TABLE folded ENGINE = MergeTree ORDER BY contact_id AS SELECT * FROM "
                   + oracle.contacts(oracle.fold()), parameters=rule_parameters(Rules()))  # fmt: skip
    contacts = [facts.contact for some in events.values() if (facts := fold(some)).contact]
    yield World(client, contacts)
    client.close()


def random_visit(rng: random.Random, customer: str | None, contact_id: str, ids: list[str]) -> ContactFact:
    """A contact as it might be, at one of few instants."""
    started_at = START_MS + rng.randrange(6) * DAY_MS + rng.choice((0, 0, 1, 137))
    length = rng.choice((0, 1, 500, DAY_MS - 1, DAY_MS, DAY_MS + 1, 3 * DAY_MS, 7 * DAY_MS, -500))
    end_type, end_detail = rng.choice(ENDS)
    return ContactFact(**BLANK | {
        "customer_key": customer,
        "contact_id": contact_id,
        "channel": rng.choice(("voice", "voice", "chat")),
        "direction": rng.choice(("inbound",) * 7 + ("outbound",)),
        "callback_of": rng.choice([*ids, "unknown"]) if rng.random() < 0.25 else None,
        "queue": rng.choice(("A", "B", "")),
        "agent": rng.choice(("ann", "")),
        "team": rng.choice(("t1", 't"2')),
        "reason": rng.choice(("billing", "billing", "fault", "")),
        "started_at": started_at,
        "entered_at": started_at + rng.choice((0, 0, 1, 137, DAY_MS)),
        "last_event_at": started_at,
        "ended_at": started_at + length if end_type else None,
        "end_type": end_type,
        "end_detail": end_detail,
        "handled": int(rng.random() < 0.75),
        "transfers": rng.choice((0, 0, 2)),
        "reopens": rng.choice((0, 0, 0, 1)),
        "contained": int(rng.random() < 0.05),
        "short_abandoned": int(rng.random() < 0.1),
        "level1_resolvable": int(rng.random() < 0.7),
        "flags": (),
        "dimensions": {},
    })  # type: ignore[arg-type]  # fmt: skip


def random_visits(rng: random.Random, count: int) -> list[ContactFact]:
    """Contacts of customers with few contacts and with many, some calling back those of others."""
    found: list[ContactFact] = []
    while len(found) < count:
        customer = f"{rng.choice(ID_HEADS)}{len(found)}" if rng.random() < 0.95 else None
        ids = [
            f"{rng.choice(ID_HEADS)}{len(found) + number}"
            for number in range(rng.choice((1, 2, 3, 5, 9, 60)))
        ]
        others = [fact.contact_id for fact in found[-3:]]
        found += [random_visit(rng, customer, contact_id, ids + others) for contact_id in ids]
    return found


def judged(contacts: Iterable[ContactFact], rules: FcrRules) -> list[FcrFact]:
    """By Python."""
    customers: defaultdict[str, list[Visit]] = defaultdict(list)
    for contact in contacts:
        if visit := visit_of(contact):
            customers[visit.customer_key].append(visit)
    return [fact for visits in customers.values() for fact in judge(visits, rules)]


def windows_of(facts: Iterable[FcrFact], rules: FcrRules) -> dict[Key, dict[str, int]]:
    """By Python: (minute, channel, queue, days) -> measures, without nothing but zeros."""
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(FCR_MEASURES))
    for fact in facts:
        for window, tally in fcr_contribution(fact, rules).items():
            for days, part in by_days(tally, rules):
                row = sums[(*window, days)]
                row[:] = [a + b for a, b in zip(row, part, strict=True)]
    return {key: dict(zip(FCR_MEASURES, row, strict=True)) for key, row in sums.items() if any(row)}


def rows(world: World, sql: str, rules: FcrRules) -> list[dict[str, Any]]:
    result = world.client.query(
        sql,
        parameters=rule_parameters(Rules(fcr=rules)),
        settings=oracle.settings(MEMORY_BYTES) | oracle.WIDE,
    )
    return [dict(zip(result.column_names, map(plain, row), strict=True)) for row in result.result_rows]


def assert_judged_alike(
    world: World, table: str, contacts: list[ContactFact], rules: FcrRules
) -> list[FcrFact]:
    """Facts and windows of a table are those of Python."""
    expected = judged(contacts, rules)
    found = rows(world, f"SELECT * FROM {oracle.fcr(table)}", rules)
    assert len(found) == len(expected)
    assert_equal(
        {(fact.customer_key, fact.contact_id): asdict(fact) for fact in expected},
        {(row["customer_key"], row["contact_id"]): row for row in found},
    )
    windows = rows(world, f"SELECT * FROM {oracle.fcr_windows(oracle.fcr(table))}", rules)
    keys = ("window_start", "channel", "queue", "days")
    by_key = {tuple(row[key] for key in keys): {name: row[name] for name in FCR_MEASURES} for row in windows}
    assert len(by_key) == len(windows)
    assert_equal(windows_of(expected, rules), {key: row for key, row in by_key.items() if any(row.values())})
    return expected


@pytest.mark.parametrize("rules", VARIANTS, ids=range(len(VARIANTS)))
def test_facts_made_up_are_judged_alike(world: World, rules: FcrRules) -> None:
    rng = random.Random(SEED + VARIANTS.index(rules))
    visits = random_visits(rng, VISITS)
    world.client.command("TRUNCATE TABLE visits")
    lines = [fact_row(CONTACT_COLUMNS, asdict(fact), 1) for fact in visits]
    world.client.insert("visits", lines, column_names=CONTACT_COLUMNS)
    facts = assert_judged_alike(world, "visits", visits, rules)
    # Each column was put to the test at all.
    assert all(len({getattr(fact, field.name) for fact in facts}) > 1 for field in fields(FcrFact))


@pytest.mark.parametrize("rules", VARIANTS[::3])
def test_contacts_of_events_are_judged_alike(world: World, rules: FcrRules) -> None:
    facts = assert_judged_alike(world, "folded", world.contacts, rules)
    assert len(facts) > 400
    assert sum(fact.next_at is not None for fact in facts) > 20
