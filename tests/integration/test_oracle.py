"""The SQL oracle against the Python fold, over golden scenarios and thousands of nasty contacts."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.calendars import CALENDARS
from support.clickhouse import connect, load
from support.durations import durations_of
from support.stories import told_contacts
from support.tables import read_file
from support.worlds import BASE_MS, DATED, random_contact

from kpis.facts import Facts
from kpis.fold.events import fold
from kpis.rules import Rules
from kpis.tallies.callbacks import CALLBACK_MEASURES, callback_measures, request_of
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES, MEASURES, contribution
from reports.oracle import MEMORY_BYTES, recomputed
from reports.verification import FACTS, WINDOW_KEYS, facts_of, windows_of
from schemas.events import ContactEvent
from sinks import rows
from sinks.rule_parameters import rule_parameters
from sql import kpi_queries as kpi
from sql import oracle_queries as oracle
from sql import verify_queries as verify
from sql.periods import Periods, periods

pytestmark = pytest.mark.stack

SEED = 20_260_109
NASTY_CONTACTS = 5_000
RULES = Rules(
    service_level_by_queue_ms={"B": 5_000},
    calendars=CALENDARS,
    calendar_by_queue={"A": "office"},
    dated=DATED,
)
FACT_KEYS = {"legs": ("contact_id", "leg"), "contacts": ("contact_id",),
             "surveys": ("contact_id", "kind", "respondent"),
             "offers": ("contact_id", "event_id"),
             "leg_durations": ("kind", "booked_at", "contact_id", "leg")}  # fmt: skip
ORACLE = {
    "legs": oracle.legs, "contacts": oracle.contacts, "surveys": oracle.surveys, "offers": oracle.offers,
    "leg_durations": lambda folded: oracle.leg_durations(oracle.legs(folded)),
}  # fmt: skip
FOLD, WINDOWS = "oracle_fold", "oracle_windows"
GOLDEN = Path(__file__).parents[1] / "golden"
RANGE = (BASE_MS + 1_000 * 60_000, BASE_MS + 2_000 * 60_000)
EVERYTHING = (BASE_MS - 100 * 86_400_000, BASE_MS + 400 * 86_400_000)

Key = tuple[Any, ...]
Row = dict[str, Any]


@dataclass
class World:
    """The events in ClickHouse, and what the Python fold makes of them."""

    client: Client
    events: dict[str, list[ContactEvent]]
    facts: dict[str, Facts]

    def rows(self, sql: str, **parameters: Any) -> list[Row]:
        result = self.client.query(sql, parameters=PARAMETERS | parameters, settings=SETTINGS)
        return [dict(zip(result.column_names, map(plain, row), strict=True)) for row in result.result_rows]


PARAMETERS = rule_parameters(RULES)
SETTINGS = oracle.settings(MEMORY_BYTES) | oracle.WIDE


def plain(value: Any) -> Any:
    """A value as the facts have it: times as milliseconds, lists as tuples."""
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    return tuple(value) if isinstance(value, list) else value


def golden_contacts() -> Iterator[tuple[str, list[ContactEvent]]]:
    for path in sorted(GOLDEN.glob("*.txt")):
        for number, scenario in enumerate(read_file(path)):
            contact_id = f"{path.stem}-{number}"
            yield contact_id, scenario.read(contact_id)


def nasty_contacts() -> Iterator[tuple[str, list[ContactEvent]]]:
    rng = random.Random(SEED)
    for number in range(NASTY_CONTACTS):
        yield f"k{number}", random_contact(rng, f"k{number}")
    yield from told_contacts().items()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    client = connect(tmp_path_factory.mktemp("oracle") / "db")
    events = dict(golden_contacts()) | dict(nasty_contacts())
    load(client, (event for some in events.values() for event in some))
    facts = {contact_id: fold(some, RULES) for contact_id, some in events.items()}
    store_stream(client, facts)
    windows = oracle.windows(FOLD, LEG_MEASURES, CONTACT_MEASURES, OFFER_MEASURES)
    for table, select, order in ((FOLD, oracle.fold(), "contact_id"), (WINDOWS, windows, "window_start")):
        client.command(
            f"CREATE TABLE {table} ENGINE = MergeTree ORDER BY {order} AS SELECT * FROM {select}",
            parameters=PARAMETERS,
            settings=SETTINGS,
        )
    yield World(client, events, facts)
    client.close()


def store_stream(client: Client, facts: dict[str, Facts]) -> None:
    """Fill the stream's tables as the sink does, windows spread over three partitions."""
    tables: dict[str, list[list[Any]]] = defaultdict(list)
    windows: dict[Key, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for number, fact in enumerate(facts.values()):
        for window, tally in contribution(fact, RULES).items():
            total = windows[(*window, number % 3)]
            total[:] = [a + b for a, b in zip(total, tally, strict=True)]
        for table, found in facts_by_table(fact).items():
            tables[table] += [rows.fact_row(rows.COLUMNS[table], asdict(item), 1) for item in found]
    # What a corrected contact leaves behind must not be compared.
    tables["legs"].append(rows.deleted_row(rows.LEG_COLUMNS, {"contact_id": "k1", "leg": 99}, 2))
    tables["kpi_windows"] = [[*key, *tally, 1] for key, tally in windows.items()]
    tables["kpi_windows"].append([BASE_MS, "voice", "emptied", 0, *(0 for _ in MEASURES), 1])
    for table, lines in tables.items():
        client.insert(table, lines, column_names=rows.COLUMNS[table])


def facts_by_table(facts: Facts) -> dict[str, Sequence[Any]]:
    contacts = (facts.contact,) if facts.contact else ()
    return {"legs": facts.legs, "contacts": contacts, "surveys": facts.surveys, "offers": facts.offers,
            "leg_durations": durations_of(facts.legs)}  # fmt: skip


def oracle_facts(table: str) -> str:
    return ORACLE[table](FOLD)


def compared_windows(windows: str = WINDOWS) -> verify.TallyTable:
    return verify.TallyTable("kpi_windows", windows, WINDOW_KEYS, MEASURES)


def compared_facts(table: str) -> verify.FactTable:
    _, keys, scope = FACTS[table]
    columns = tuple(name for name in rows.COLUMNS[table][:-2] if name not in keys)
    return verify.FactTable(table, oracle_facts(table), keys, columns, scope)


def assert_equal(expected: dict[Key, Row], found: dict[Key, Row]) -> None:
    """All rows equal, with the first few differences by column if not."""
    wrong = [
        (key, {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs.get(name)})
        if (ours := expected.get(key)) and (theirs := found.get(key))
        else (key, "only one has it")
        for key in expected.keys() | found.keys()
        if expected.get(key) != found.get(key)
    ]
    assert not wrong, f"{len(wrong)} differ (python, sql): {wrong[:3]}"


@pytest.mark.parametrize("table", FACT_KEYS)
def test_every_column_of_every_fact_is_equal(world: World, table: str) -> None:
    keys = FACT_KEYS[table]
    found = world.rows(f"SELECT * FROM {oracle_facts(table)}")
    expected = [asdict(item) for facts in world.facts.values() for item in facts_by_table(facts)[table]]
    by_key = {tuple(row[key] for key in keys): row for row in expected}
    assert len(by_key) == len(expected) > 500
    assert len(found) == len({tuple(row[key] for key in keys) for row in found})
    assert_equal(by_key, {tuple(row[key] for key in keys): row for row in found})


def test_every_measure_of_every_window_is_equal(world: World) -> None:
    expected: dict[Key, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for facts in world.facts.values():
        for window, tally in contribution(facts, RULES).items():
            expected[tuple(window)] = [a + b for a, b in zip(expected[tuple(window)], tally, strict=True)]
    found = world.rows(f"SELECT * FROM {WINDOWS}")
    columns = ("window_start", "channel", "queue")
    assert_equal(
        {key: dict(zip(MEASURES, tally, strict=True)) for key, tally in expected.items()},
        {tuple(row[c] for c in columns): {name: row[name] for name in MEASURES} for row in found},
    )
    # Each measure was put to the test at all.
    assert not [name for name in MEASURES if not any(row[name] for row in found)]


def test_verify_finds_nothing_where_nothing_is_wrong(world: World) -> None:
    counts = world.rows(verify.window_counts(compared_windows()))[0]
    assert counts["differing_windows"] == 0
    assert counts["compared_windows"] == world.rows(f"SELECT count() AS n FROM {WINDOWS}")[0]["n"] > 4_000
    assert counts["compared_values"] == counts["compared_windows"] * len(MEASURES)
    for table in FACT_KEYS:
        found = world.rows(verify.fact_counts(compared_facts(table)))[0]
        assert found["differing_facts"] == 0, table
        assert found["compared_facts"] == sum(len(facts_by_table(f)[table]) for f in world.facts.values())


def test_verify_of_a_range_reads_only_contacts_that_touch_it(world: World) -> None:
    ranged = dict(zip(("from_ms", "to_ms"), RANGE, strict=True))
    inside = world.rows(
        f"SELECT countIf({verify.IN_RANGE.format('window_start')}) AS n FROM {WINDOWS}", **ranged
    )
    legs = sum(len(facts.legs) for facts in world.facts.values())
    with recomputed(world.client, RULES, RANGE) as tables:
        windows = next(each for each in windows_of(tables, True) if each.table == "kpi_windows")
        counts = world.rows(verify.window_counts(windows), **ranged)[0]
        facts = world.rows(verify.fact_counts(facts_of("legs", tables, True)), **ranged)[0]
        read = world.rows(f"SELECT count() AS n FROM {tables.legs}")[0]["n"]
    assert counts["differing_windows"] == facts["differing_facts"] == 0
    assert counts["compared_windows"] == inside[0]["n"] > 500
    assert 500 < facts["compared_facts"] < legs / 2
    assert facts["compared_facts"] <= read < legs


def test_nothing_is_not_zero(world: World) -> None:
    """Facts are compared by a hash of their values, in which a NULL counts as well."""
    leg = next(leg for facts in world.facts.values() for leg in facts.legs if leg.queue_ms is None)
    changed, restored = asdict(leg) | {"queue_ms": 0}, asdict(leg)
    try:
        world.client.insert(
            "legs", [rows.fact_row(rows.LEG_COLUMNS, changed, 5)], column_names=rows.LEG_COLUMNS
        )
        (found,) = world.rows(verify.fact_differences(compared_facts("legs"), 10))
    finally:
        world.client.insert(
            "legs", [rows.fact_row(rows.LEG_COLUMNS, restored, 6)], column_names=rows.LEG_COLUMNS
        )
    assert found["differences"] == (("queue_ms", "0", None),)


def test_verify_shows_what_differs(world: World) -> None:
    target = next(row for row in world.rows(f"SELECT * FROM {WINDOWS} ORDER BY ALL") if row["offered"])
    extra = [target["window_start"], target["channel"], target["queue"], 9, *(0 for _ in MEASURES), 1]
    extra[4 + MEASURES.index("offered")] = 1
    leg = world.facts["S01_simple-0"].legs[0]
    changed = rows.fact_row(rows.LEG_COLUMNS, asdict(leg) | {"agent": "mallory"}, 3)
    surplus = rows.fact_row(rows.LEG_COLUMNS, asdict(leg) | {"leg": 7}, 3)
    restore = [rows.fact_row(rows.LEG_COLUMNS, asdict(leg), 4),
               rows.deleted_row(rows.LEG_COLUMNS, {"contact_id": leg.contact_id, "leg": 7}, 4)]  # fmt: skip
    world.client.insert("kpi_windows", [extra], column_names=rows.WINDOW_COLUMNS)
    world.client.insert("legs", [changed, surplus], column_names=rows.LEG_COLUMNS)
    try:
        windows = world.rows(verify.window_differences(compared_windows(), 10))
        legs = world.rows(verify.fact_differences(compared_facts("legs"), 10))
    finally:
        world.client.command("DELETE FROM kpi_windows WHERE partition = 9")
        world.client.insert("legs", restore, column_names=rows.LEG_COLUMNS)
    assert [row["differences"] for row in windows] == [
        (("offered", target["offered"] + 1, target["offered"]),)
    ]
    assert [(row["leg"], row["stream_rows"], row["oracle_rows"]) for row in legs] == [(1, 1, 1), (7, 1, 0)]
    assert legs[0]["differences"] == (("agent", "mallory", leg.agent),)
    assert ("offered", "1", None) in legs[1]["differences"]


def test_verify_misses_no_window_that_one_side_lacks(world: World) -> None:
    lacking = f"(SELECT * FROM {WINDOWS} WHERE queue != 'A')"
    lost = world.rows(f"SELECT count() AS n FROM {WINDOWS} WHERE queue = 'A'")[0]["n"]
    counts = world.rows(verify.window_counts(compared_windows(lacking)))[0]
    assert counts["differing_windows"] == lost > 500
    (found,) = world.rows(verify.differing_values(compared_windows(lacking)))
    assert found["differing_values"] > lost
    doubled = f"(SELECT * FROM {WINDOWS} UNION ALL SELECT * REPLACE ('new' AS queue) FROM {WINDOWS})"
    counts = world.rows(verify.window_counts(compared_windows(doubled)))[0]
    shown = world.rows(verify.window_differences(compared_windows(doubled), 5))
    assert counts["differing_windows"] > 4_000
    assert [row["queue"] for row in shown] == ["new"] * 5
    assert all(stream == 0 < found for row in shown for _, stream, found in row["differences"])


def run(world: World, sql: str, wanted: Periods) -> list[Row]:
    return world.rows(sql, **wanted.parameters)


@pytest.mark.parametrize("every", ["15m", "1d", "all"])
def test_sums_are_the_same_from_stream_oracle_and_legs(world: World, every: str) -> None:
    wanted = periods(*EVERYTHING, every, UTC)
    stream = run(
        world,
        kpi.sums(kpi.window_source(kpi.STREAM_WINDOWS, MEASURES), MEASURES, wanted, ["channel", "queue"]),
        wanted,
    )
    source = kpi.window_source(WINDOWS, MEASURES)
    assert stream == run(world, kpi.sums(source, MEASURES, wanted, ["channel", "queue"]), wanted)
    by_agent = run(world, kpi.sums(kpi.leg_source(), LEG_MEASURES, wanted, ["agent", "reason"]), wanted)
    offers = run(world, kpi.sums(kpi.offer_source(), OFFER_MEASURES, wanted, ["agent", "reason"]), wanted)
    for name in OFFER_MEASURES:
        assert sum(row[name] for row in offers) == sum(row[name] for row in stream) > 0, name
    for name in LEG_MEASURES:
        assert sum(row[name] for row in by_agent) == sum(row[name] for row in stream) > 0, name


def test_longest_wait_and_hold(world: World) -> None:
    wanted = periods(*EVERYTHING, "all", UTC)
    legs = [leg for facts in world.facts.values() for leg in facts.legs]
    waits = [leg.queue_ms for leg in legs if leg.queue_ms is not None]
    holds = [leg.hold_max_ms for leg in legs if leg.hold_n and leg.handled_at is not None]
    for legs_relation in (kpi.STREAM_LEGS, oracle_facts("legs")):
        wait = run(world, kpi.longest("queue_ms", wanted, legs=legs_relation), wanted)[0]
        hold = run(world, kpi.longest("hold_max_ms", wanted, legs=legs_relation), wanted)[0]
        assert (wait["longest"], wait["n"]) == (max(waits), len(waits))
        assert (hold["longest"], hold["n"]) == (max(holds), len(holds))


def callback_rows(facts: dict[str, Facts]) -> list[Row]:
    """By brute force: for each request what its calls come to, by the fold's facts."""
    calls = [one for one in facts.values() if one.contact and one.contact.callback_of]
    requests = [(contact_id, request_of(fact.legs)) for contact_id, fact in facts.items()]
    return [
        callback_measures(request, [c for c in calls if c.contact and c.contact.callback_of == asker], RULES)
        for asker, request in requests
        if request is not None
    ]


def test_callbacks(world: World) -> None:
    expected = callback_rows(world.facts)
    wanted = periods(*EVERYTHING, "all", UTC)
    for sources in ((kpi.STREAM_LEGS, kpi.STREAM_CONTACTS), (oracle_facts("legs"), oracle_facts("contacts"))):
        query = kpi.sums(kpi.callback_source(*sources), CALLBACK_MEASURES, wanted, ["channel"])
        found = run(world, query, wanted)
        for name in CALLBACK_MEASURES:
            assert sum(row[name] for row in found) == sum(row[name] for row in expected) > 0, name
