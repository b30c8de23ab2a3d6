"""`reports.verification.compare` of everything and of ranges, over tables filled as the stream fills them."""

import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.durations import durations_of
from support.worlds import AGENTS, random_contact, random_customer, random_states
from test_oracle_agents import quarters, store_states
from test_oracle_fcr import judged, windows_of

from kpis.facts import AgentQuarter, Facts, FcrFact
from kpis.fold.events import fold
from kpis.rules import FcrRules, Rules
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES, contribution
from maintenance.rebuild import ledger
from maintenance.rebuild.shadow import Compared, Shadow
from reports.oracle import MEMORY_BYTES, recomputed
from reports.rebuilt import all_facts, by_partition
from reports.verification import FACTS, Report, compare
from schemas.events import ContactEvent
from sinks import rows
from sinks.rule_parameters import rule_parameters
from sql.oracle_queries import settings

pytestmark = pytest.mark.stack

SEED = 20_260_105
RULES = Rules(fcr=FcrRules(windows_days=(1, 7)))
COLUMNS = {
    table: (*(item.name for item in fields(fact)), "version", "is_deleted")
    for table, (fact, _, _) in FACTS.items()
}
WINDOW_COLUMNS = ("window_start", "channel", "queue")
MINUTE_MS = 60_000
Key = tuple[Any, ...]


@dataclass
class World:
    """A ClickHouse with raw events and the stream's tables, and what these hold."""

    client: Client
    events: dict[str, list[ContactEvent]]
    facts: dict[str, Facts]
    fcr: list[FcrFact]
    quarters: list[AgentQuarter]
    starts: dict[str, list[int]]  # of windows that are not all zeros, by table


def fill(client: Client, table: str, found: list[Any]) -> None:
    lines = [rows.fact_row(COLUMNS[table], asdict(fact), 1) for fact in found]
    client.insert(table, lines, column_names=COLUMNS[table])


def fill_windows(world: World) -> None:
    """Windows, halved over two partitions."""
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for number, fact in enumerate(world.facts.values()):
        for window, tally in contribution(fact, RULES).items():
            row = sums[(*window, number % 2)]
            row[:] = [a + b for a, b in zip(row, tally, strict=True)]
    lines: list[list[Any]] = [[*key, *row, 1] for key, row in sums.items()]
    world.client.insert(
        "kpi_windows", lines, column_names=(*WINDOW_COLUMNS, "partition", *MEASURES, "version")
    )
    world.starts["kpi_windows"] = sorted(key[0] for key in {key[:3] for key, row in sums.items() if any(row)})
    judged_windows = windows_of(world.fcr, RULES.fcr)
    columns = (*WINDOW_COLUMNS, "days", "partition", *FCR_MEASURES, "version")
    lines = [[*key, 0, *row.values(), 1] for key, row in judged_windows.items()]
    world.client.insert("fcr_windows", lines, column_names=columns)
    world.starts["fcr_windows"] = sorted(key[0] for key in judged_windows)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    rng = random.Random(SEED)
    client = connect(tmp_path_factory.mktemp("verify") / "db")
    events = {f"k{number}": random_contact(rng, f"k{number}") for number in range(60)}
    for number in range(250):
        events |= random_customer(rng, f"customer {number}")
    load(client, (event for some in events.values() for event in some))
    states = [event for name in AGENTS for event in random_states(rng, name)]
    store_states(client, states)
    facts = {contact_id: fold(some, RULES) for contact_id, some in events.items()}
    contacts = [fact.contact for fact in facts.values() if fact.contact]
    legs = [leg for fact in facts.values() for leg in fact.legs]
    found = World(client, events, facts, judged(contacts, RULES.fcr), quarters(legs, states), {})
    fill(client, "contacts", contacts)
    fill(client, "legs", legs)
    fill(client, "leg_durations", durations_of(legs))
    fill(client, "surveys", [survey for fact in facts.values() for survey in fact.surveys])
    fill(client, "offers", [offer for fact in facts.values() for offer in fact.offers])
    fill(client, "fcr", found.fcr)
    fill(client, "agent_quarters", found.quarters)
    fill_windows(found)
    yield found
    client.close()


def expected(world: World, span: tuple[int, int] | None) -> dict[str, int]:
    """How many facts a report of a range is about, by brute force."""
    begin, end = span or (0, 2**60)
    touched = {
        name for name, some in world.events.items() if any(begin <= event.occurred_at < end for event in some)
    }
    named = {getattr(event, "customer_key", None) for name in touched for event in world.events[name]}
    return {
        "contacts": sum(world.facts[name].contact is not None for name in touched),
        "legs": sum(len(world.facts[name].legs) for name in touched),
        "leg_durations": sum(len(durations_of(world.facts[name].legs)) for name in touched),
        "surveys": sum(len(world.facts[name].surveys) for name in touched),
        "offers": sum(len(world.facts[name].offers) for name in touched),
        "fcr": sum(fact.customer_key in named for fact in world.fcr),
        "agent_quarters": sum(begin <= quarter.window_start < end for quarter in world.quarters),
    }


def assert_agrees(world: World, span: tuple[int, int] | None) -> Report:
    """Nothing differs, and nothing was left out."""
    report = compare(world.client, RULES, span)
    assert report.differences == []
    assert report.agrees
    assert report.facts == expected(world, span)
    begin, end = span or (0, 2**60)
    counts = {
        table: bisect_left(starts, end) - bisect_left(starts, begin) for table, starts in world.starts.items()
    }
    assert report.windows == sum(counts.values())
    assert report.values == counts["kpi_windows"] * len(MEASURES) + counts["fcr_windows"] * len(FCR_MEASURES)
    return report


def test_everything_agrees(world: World) -> None:
    report = assert_agrees(world, None)
    assert all(count > 100 for count in report.facts.values())


@pytest.mark.parametrize("number", range(5))
def test_every_range_agrees(world: World, number: int) -> None:
    """Also where what decides about a contact in range lies days outside of it."""
    rng = random.Random(number)
    length = rng.choice((1, 7, 15, 61, 1_440))
    anchor = rng.choice([fact for fact in world.fcr if fact.ended_at and fact.next_at])
    around = (anchor.ended_at or 0) if number % 2 else anchor.begins_at
    if number > 5:  # where agents are
        around = rng.choice(world.quarters).window_start
    begin = around - around % MINUTE_MS - rng.randrange(length) * MINUTE_MS
    report = assert_agrees(world, (begin, begin + length * MINUTE_MS))
    assert report.windows + report.facts["agent_quarters"] > 0


def tell(world: World, span: tuple[int, int]) -> list[str]:
    """The differences of a range, in brief."""
    return [
        f"{item['fact']} {item['rows']} {[column['column'] for column in item['columns']][:1]}"
        if "fact" in item
        else f"{item['measure']} {item['dimensions']['days']} {item['stream'] - item['oracle']}"
        for item in compare(world.client, RULES, span).differences
    ]


def test_what_differs_is_told(world: World) -> None:
    """Of a range: a fact that is wrong, one left behind when the contact changed hands, one that is missing;
    a measure of repeat contacts; what an agent did."""
    fact = next(item for item in world.fcr if item.next_at and item.ended_at)
    minute = fact.begins_at - fact.begins_at % MINUTE_MS
    span = (minute, minute + MINUTE_MS)
    columns, client = COLUMNS["fcr"], world.client
    wrong = rows.fact_row(columns, asdict(replace(fact, next_at=fact.begins_at + 1)), 2)
    right = rows.fact_row(columns, asdict(fact), 3)
    client.insert("fcr", [wrong], column_names=columns)
    assert tell(world, span) == ["fcr {'stream': 1, 'oracle': 1} ['next_at']"]
    client.insert("fcr", [[*right[:-1], 1]], column_names=columns)
    assert [line[:32] for line in tell(world, span)] == ["fcr {'stream': 0, 'oracle': 1} ["]
    client.insert("fcr", [[*right[:-2], 4, 0]], column_names=columns)
    assert tell(world, span) == []


def test_a_row_left_with_another_customer_is_told(world: World) -> None:
    """The contact's events in range name a customer that it is not, in the end."""
    contact, other = next(
        (contact, key)
        for name, fact in world.facts.items()
        if (contact := fact.contact) and contact.customer_key
        for key in {getattr(event, "customer_key", None) for event in world.events[name]}
        if key not in (None, contact.customer_key)
    )
    minute = contact.last_event_at - contact.last_event_at % MINUTE_MS
    left = asdict(world.fcr[0]) | {"customer_key": other, "contact_id": contact.contact_id}
    columns = COLUMNS["fcr"]
    world.client.insert("fcr", [rows.fact_row(columns, left, 5)], column_names=columns)
    found = tell(world, (minute, minute + MINUTE_MS))
    world.client.insert("fcr", [[*rows.fact_row(columns, left, 6)[:-1], 1]], column_names=columns)
    assert [line[:32] for line in found] == ["fcr {'stream': 1, 'oracle': 0} ["]


def test_windows_and_quarters_that_differ_are_told(world: World) -> None:
    quarter = next(item for item in world.quarters if item.busy_ms)
    start = quarter.window_start
    columns = (*WINDOW_COLUMNS, "days", "partition", *FCR_MEASURES, "version")
    extra = [start, "voice", "odd", 7, 9, *(int(name == "one_stop") for name in FCR_MEASURES), 1]
    world.client.insert("fcr_windows", [extra], column_names=columns)
    wrong = asdict(quarter) | {"idle_ms": quarter.idle_ms + 1}
    names = COLUMNS["agent_quarters"]
    world.client.insert("agent_quarters", [rows.fact_row(names, wrong, 2)], column_names=names)
    found = tell(world, (start, start + MINUTE_MS))
    world.client.command("DELETE FROM fcr_windows WHERE queue = 'odd'")
    world.client.insert("agent_quarters", [rows.fact_row(names, asdict(quarter), 3)], column_names=names)
    assert found == ["one_stop 7 1", "agent_quarters {'stream': 1, 'oracle': 1} ['idle_ms']"]
    assert tell(world, (start, start + MINUTE_MS)) == []


def test_many_slices_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done in parts is the whole, and nothing is left behind."""
    for name in ("CONTACTS_PER_SLICE", "FCR_CONTACTS_PER_SLICE", "AGENT_LEGS_PER_SLICE"):
        monkeypatch.setattr(f"reports.oracle.{name}", 400)
    assert_agrees(world, None)
    left = world.client.query("SELECT count() FROM system.tables WHERE name LIKE 'oracle_%'").result_rows
    assert left == [(0,)]


def drafted(client: Client, version: int) -> Shadow:
    """A rebuild of everything whose rows are made and not yet settled."""
    versions = {stage: [version, version] for stage in ("contacts", "customers", "agents")}
    parameters = rule_parameters(RULES) | {"queues": []}
    shadow = Shadow(client, ledger.new({}, versions), parameters, settings(MEMORY_BYTES))
    with recomputed(client, RULES, None, partitions=2) as tables:
        shadow.make(Compared(by_partition(tables, False), all_facts(tables, False)), False)
    return shadow


def test_a_rebuild_in_slices_mends_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts that are gone, that are another's and that are wrong, of each table; windows too."""
    monkeypatch.setattr("maintenance.rebuild.shadow.ROWS_PER_SLICE", 300)
    client = world.client
    for table in FACTS:
        own = "agent" if table == "agent_quarters" else "contact_id"
        some = f"FROM {table} FINAL WHERE cityHash64({own}) % 3"
        client.command(f"INSERT INTO {table} SELECT * REPLACE (1 AS is_deleted) {some} = 0")
        client.command(f"INSERT INTO {table} SELECT * REPLACE (concat({own}, '?') AS {own}) {some} = 1")
    client.command("INSERT INTO legs SELECT * REPLACE (1 - handled AS handled) FROM legs FINAL LIMIT 99")
    shadow = drafted(client, 7)
    made = shadow.settle()
    assert all(made.values())
    before = shadow.rebuild.table("legs", "before")
    ((kept, deleted),) = client.query(f"SELECT count(), sum(is_deleted) FROM {before}").result_rows
    assert 0 < kept < made["legs"]
    assert deleted == 0
    shadow.put_in_place()
    assert_agrees(world, None)


def test_where_nothing_stands_all_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what the stream writes meanwhile; and it can be taken back."""
    monkeypatch.setattr("maintenance.rebuild.shadow.ROWS_PER_SLICE", 300)
    client, tables = world.client, (*FACTS, "kpi_windows", "fcr_windows")
    for table in tables:
        client.command(f"CREATE TABLE kept_{table} AS {table}")
        client.command(f"INSERT INTO kept_{table} SELECT * FROM {table}")
        client.command(f"TRUNCATE TABLE {table}")
    shadow = drafted(client, 11)
    for table in ("legs", "kpi_windows"):  # of a later version than the rebuild's
        client.command(
            f"INSERT INTO {table} SELECT * REPLACE (12 AS version) FROM kept_{table} FINAL "
            "ORDER BY ALL LIMIT 50"
        )
    made = shadow.settle()
    assert all(made.values())
    shadow.put_in_place()
    assert_agrees(world, None)
    for table in tables:
        versions = dict(
            client.query(f"SELECT version, count() FROM {table} FINAL GROUP BY version").result_rows
        )
        overtaken = {12: 50} if table in ("legs", "kpi_windows") else {}
        assert versions == {11: made[table]} | overtaken
    back = shadow.undo({stage: [21, 21] for stage in ("contacts", "customers", "agents")})
    assert back == made
    shadow.put_in_place("undo")
    for query, found in (
        ("SELECT count() FROM contacts FINAL WHERE is_deleted = 0", 0),
        ("SELECT count() FROM legs FINAL WHERE is_deleted = 0", 50),
        ("SELECT count() FROM kpi_windows FINAL WHERE version = 12", 50),
        ("SELECT max(offered) FROM kpi_windows FINAL WHERE version = 21", 0),
    ):
        assert client.query(query).result_rows == [(found,)]
