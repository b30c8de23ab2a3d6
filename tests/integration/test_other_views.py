"""The views that are not by period, and that every KPI is in some view."""

import random
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.view_world import RULES, Row, insert, ms, query, recent_world
from support.worlds import random_contact

from kpis.catalogue.every_kpi import every_kpi
from kpis.facts import FcrFact, LegFact
from kpis.rules import FcrRules, Rules
from kpis.tallies.fcr import is_repeat, is_repeated
from schemas.time_units import HOUR_MS, MINUTE_MS
from sinks import rows
from sinks.views.columns import column_id
from sinks.views.made import marked
from sinks.views.statements import apply_views, statements
from sql import bookings
from sql.bookings import near_legs
from sql.table_columns import every_table

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = connect(tmp_path_factory.mktemp("other-views") / "db")
    apply_views(opened, RULES, "UTC")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def world(client: Client) -> list[FcrFact]:
    return recent_world(client)


def test_repeat_contacts(client: Client, world: list[FcrFact]) -> None:
    facts = {fact.contact_id: fact for fact in world}
    seen = [0, 0]
    found = query(client, "SELECT * FROM repeat_contact")
    assert len(found) in (len(facts), len(facts) - 1)  # one may have been deleted below
    for row in found:
        fact = facts[row["contact_id"]]
        for days in RULES.fcr.windows_days:
            repeated = fact.anchor * is_repeated(fact, days)
            failed = int(fact.anchor and (fact.failed or repeated))
            expected = (repeated, failed, int(is_repeat(fact, days)))
            flags = tuple(row[f"{name}_w{days}d"] for name in ("repeated", "failed", "is_repeat"))
            assert flags == expected, (fact, days)
            seen = [seen[0] + expected[0], seen[1] + expected[2]]
    assert all(seen)


def test_facts_hide_what_is_deleted(client: Client, world: list[FcrFact]) -> None:
    for view, table, key in (
        ("contact", "contacts", ("contact_id",)),
        ("leg", "legs", ("contact_id", "leg")),
        ("survey", "surveys", ("contact_id", "kind", "respondent")),
        ("offer", "offers", ("contact_id", "event_id")),
        ("repeat_contact", "fcr", ("customer_key", "contact_id")),
    ):
        known = query(client, f"SELECT * FROM {view}")
        assert not known[0].keys() & {"version", "is_deleted"}
        columns = tuple(row[0] for row in client.query(f"DESCRIBE {table}").result_rows)
        gone = rows.deleted_row(columns, {name: known[0][name] for name in key}, 2)
        client.insert(table, [gone], column_names=columns)
        assert len(query(client, f"SELECT * FROM {view}")) == len(known) - 1, view


def test_frequent_customers(client: Client) -> None:
    client.command(
        "INSERT INTO contacts (contact_id, customer_key, started_at, version) "
        "SELECT concat('f', toString(number)), if(number < 1001, 'switchboard', 'caller'), "
        "toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalSecond(number), 1 FROM numbers(2001)"
    )
    found = query(client, "SELECT customer, contact_count FROM frequent_customer WHERE contact_count < 1100")
    assert found == [{"customer": "switchboard", "contact_count": 1001}]


def leg(number: int, entered_at: int, **known: Any) -> LegFact:
    """A leg in queue."""
    nothing: Row = {field.name: 0 for field in fields(LegFact)}
    nothing |= dict.fromkeys(("answered_at", "ended_at", "handled_at", "queue_ms", "talk_ms", "handle_ms"))
    texts = dict.fromkeys(("agent", "team", "reason", "end_type", "end_detail", "direction"), "")
    here = {"contact_id": f"now{number}", "leg": 1, "channel": "voice", "queue": "now", "flags": (),
            "dimensions": {}}  # fmt: skip
    return LegFact(**nothing | texts | here | {"entered_at": entered_at, "offered": 1, "waiting": 1} | known)


def test_the_present_moment(client: Client) -> None:
    now = ms(datetime.now(UTC))
    served = {"waiting": 0, "answered": 1, "handled": 1, "queue_ms": 1_000}
    over = {"answered_at": now - HOUR_MS, "ended_at": now - 60_000, "handled_at": now - 60_000}
    insert(client, "legs", [
        leg(1, now - 100_000),
        leg(2, now - 1_000),
        leg(3, now - 50_000, answered_at=now - 49_000, **served),
        leg(4, now - 3 * HOUR_MS, **over, **served),
        leg(5, now - 20 * HOUR_MS),
    ])  # fmt: skip
    found = query(client, "SELECT * FROM kpi_now WHERE queue = 'now'")[0]
    assert (found["waiting_now"], found["active_now"], found["acw_now"]) == (2, 1, 1)
    assert 100_000 <= found["longest_wait_now"] < 119_000
    assert (found["service_level_live"], found["service_level_live_n"]) == (0.5, 2)


VERSIONS: dict[int, list[Row]] = {  # of a leg, as they were stored; ages in minutes
    11: [{}, {"ended_at": 300}],  # over since
    12: [{"ended_at": 300}, {}],  # open again
    13: [
        {"entered_at": 300, "ended_at": 300},
        {"entered_at": 20, "ended_at": 19},
    ],  # moved into the last half-hour
    14: [{"entered_at": 20, "ended_at": 19}, {"entered_at": 300, "ended_at": 299}],  # and out of it
    15: [{"ended_at": 300}, {"ended_at": 1, "handled_at": 1}],  # ended just now
    16: [{"ended_at": 300, "handled_at": 1}],  # wrapped up just now
    17: [{"ended_at": 300, "handled_at": 299}],
    18: [{}, {"is_deleted": 1}],
}
NEAR = {"now12", "now13", "now15", "now16"}


def test_legs_that_can_be_anything_now_are_the_same_by_their_contacts_alone(
    client: Client, world: list[FcrFact], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = ms(datetime.now(UTC))
    columns = (*(field.name for field in fields(LegFact)), "version", "is_deleted")
    client.command("SYSTEM STOP MERGES legs")  # each version in a part of its own
    for version in range(2):
        for number, stored in VERSIONS.items():
            if version < len(stored):
                ages = {"entered_at": 400} | stored[version]
                deleted = ages.pop("is_deleted", 0)
                known = {name: now - minutes * MINUTE_MS for name, minutes in ages.items()}
                row = rows.fact_row(columns, asdict(leg(number, queue="near", **known)), version)
                client.insert("legs", [[*row[:-1], deleted]], column_names=columns)
    found = {}
    for few in (0, 10**9):
        monkeypatch.setattr(bookings, "FEW_LEGS", few)
        near = near_legs("now64(3) - INTERVAL 31 MINUTE", "now64(3)", "120000")
        found[few] = query(client, f"SELECT * FROM {near} ORDER BY contact_id, leg")
    client.command("SYSTEM START MERGES legs")
    assert found[0] == found[10**9]
    assert {row["contact_id"] for row in found[0] if row["queue"] == "near"} == NEAR
    assert len(found[0]) > len(NEAR)  # and the open ones of the world


def test_sources(client: Client) -> None:
    now = ms(datetime.now(UTC))
    columns = ["source", "occurred_at"]
    client.insert("heartbeats", [["pbx", now - 60_000], ["pbx", now - 30_000]], column_names=columns)
    events = random_contact(random.Random(1), "k")
    load(client, [event.model_copy(update={"source": "log"}) for event in events])
    letters = [["pbx", 7, "lines_lost", now], ["pbx", 8, "lines_lost", now], ["pbx", 9, "bad_time", now]]
    client.insert("dead_letters", letters, column_names=["origin", "position", "reason", "failed_at"])
    health = {row["source"]: row for row in query(client, "SELECT * FROM source_health")}
    assert (health["pbx"]["gap_n"], ms(health["pbx"]["last_gap_at"])) == (2, now)
    assert (health["log"]["gap_n"], health["log"]["last_gap_at"]) == (0, None)
    assert 30 <= health["pbx"]["silent_s"] < 90
    assert health["pbx"]["last_event_at"] is None
    assert health["log"]["last_heartbeat_at"] is None
    assert ms(health["log"]["last_event_at"]) == max(event.occurred_at for event in events)


def test_every_kpi_has_a_column_with_a_comment(client: Client) -> None:
    described = {
        view: {row[0]: row[4] for row in client.query(f"DESCRIBE {view}").result_rows}
        for view in ("kpi_day_wide", "agent_day_wide", "kpi_now", "backlog_now")
    }
    elsewhere = {
        "agents": "agent_day_wide", "states": "agent_day_wide", "live": "kpi_now", "backlog": "backlog_now",
    }  # fmt: skip
    for kpi in every_kpi(RULES).values():
        view = elsewhere.get(kpi.table, "kpi_day_wide")
        name = column_id(kpi)
        assert kpi.definition in described[view][name], kpi.id
        assert described[view][f"{name}_n"], kpi.id
    assert "30 minutes" in described["kpi_now"]["service_level_live"]


def test_every_column_of_every_view_has_a_comment(client: Client) -> None:
    apply_views(client, RULES, "UTC")
    bare = query(
        client,
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' AND "
        "table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View')",
    )
    assert not bare
    assert query(client, "SELECT count() AS n FROM system.columns WHERE comment != ''")[0]["n"] > 5_000


def test_the_types_of_facts_are_those_of_the_tables(client: Client) -> None:
    """Types are read from the text of the migrations: it must say what ClickHouse made of it."""
    for table, columns in every_table().items():
        assert [*columns.items()] == [row[:2] for row in client.query(f"DESCRIBE {table}").result_rows], table


def test_views_that_stand_are_not_made_again(client: Client) -> None:
    apply_views(client, RULES, "UTC")
    with patch.object(client, "command", wraps=client.command) as made:
        assert apply_views(client, RULES, "UTC") == [*statements(RULES, "UTC")]
        assert not made.called
        client.command("DROP VIEW corrections")
        client.command("CREATE OR REPLACE VIEW alert AS SELECT 1 AS one")
        made.reset_mock()
        apply_views(client, RULES, "UTC")
    names = [call.args[0].split()[4] for call in made.call_args_list]
    assert names == ["corrections", "alert"]
    assert "one" not in {row[0] for row in client.query("DESCRIBE alert").result_rows}


def test_other_columns_of_tables_make_the_views_anew() -> None:
    view = "CREATE VIEW v AS SELECT 1 COMMENT 'It\\'s one.'"
    statement, mark = marked(view, ("0001_tables",))
    assert statement == f"CREATE VIEW v AS SELECT 1 COMMENT 'It\\'s one.{mark}'"
    assert mark != marked(view, ("0001_tables", "0002_more"))[1]
    with pytest.raises(ValueError, match="without a comment"):
        marked("CREATE VIEW v AS SELECT 1", ())


def test_other_rules_and_zones_replace_the_views(client: Client, world: list[FcrFact]) -> None:
    apply_views(client, Rules(fcr=FcrRules(windows_days=(2,), default_days=2)), "Asia/Kathmandu")
    names = {row[0] for row in client.query("DESCRIBE kpi_day_wide").result_rows}
    ends = ("", "_n", "_num", "_den", "_final")
    assert {name for name in names if name.startswith("fcr_net__w")} == {f"fcr_net__w2d{end}" for end in ends}
    starts = query(client, "SELECT DISTINCT formatDateTime(window_start, '%H:%i') AS at FROM kpi_day")
    assert starts == [{"at": "18:15"}]
    apply_views(client, RULES, "UTC")
