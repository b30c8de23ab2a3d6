"""The ClickHouse user for BI tools: by its XML, and by what the engine lets it do."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from support.bi_user import (
    CHANGEABLE,
    NO_SUCH_TABLE,
    NOT_GRANTED,
    OUT_OF_BOUNDS,
    OWNER,
    READONLY,
    ask,
    bi_xml,
    grants_of,
    profile_of,
    write_users,
)
from support.compose_rules import memory_bytes
from support.containers import USERS, compose

from deploy.local.clickhouse.__main__ import DATABASE
from deploy.local.clickhouse.access import BEFORE_BI, GIVING_WAY
from kpis.rules import DEFAULT_RULES
from sinks.views.statements import STATEMENT_LIMITS, statements
from sql.migrate import migrations

LIMITS = (
    "max_execution_time",
    "max_memory_usage",
    "max_memory_usage_for_user",
    "max_result_rows",
    "max_result_bytes",
    "max_rows_to_read",
    "max_concurrent_queries_for_user",
    "max_threads",
)
# Setting -> least and greatest value a client may ask for; None where every value is harmless. Why: bi.xml.
CHANGEABLE_SETTINGS: dict[str, tuple[str, str] | None] = {
    "max_execution_time": ("1", "120"),
    "max_result_rows": ("1", "1000000"),
    "result_overflow_mode": None,
    "async_insert": None,
    "join_use_nulls": None,
    "additional_table_filters": None,
    "enable_http_compression": None,
    "session_timezone": None,
}
VIEWS = [*statements(DEFAULT_RULES, "UTC")]


def wrong_limits(users: ET.Element) -> list[str]:
    """Limits that are not there or that do not fit each other and the container."""
    value = {name: int(users.findtext(f"profiles/bi/{name}") or 0) for name in LIMITS}
    wrong = [name for name, number in value.items() if number <= 0]
    wrong += [name for name, way in GIVING_WAY.items() if users.findtext(f"profiles/bi/{name}") != str(way)]
    wrong += [
        name for name, way in BEFORE_BI.items() if users.findtext(f"profiles/default/{name}") != str(way)
    ]
    if users.findtext("profiles/bi/readonly") != "1":
        wrong.append("readonly")
    if value["max_memory_usage"] > value["max_memory_usage_for_user"]:
        wrong.append("one query may use more than all")
    # The server takes nine tenths of its container; the sink needs what is left.
    if value["max_memory_usage_for_user"] > 0.7 * memory_bytes(compose()["services"]["clickhouse"]):
        wrong.append("bi may use all of the container's memory")
    return wrong


def wrong_bounds(users: ET.Element) -> list[str]:
    """Settings that a client may change, or may not, otherwise than meant."""
    found: dict[str, tuple[str, str] | None] = {}
    for setting in users.findall("profiles/bi/constraints/*"):
        if setting.find("changeable_in_readonly") is not None:
            bounds = setting.findtext("min"), setting.findtext("max")
            found[setting.tag] = (bounds[0] or "", bounds[1] or "") if any(bounds) else None
    return [
        name
        for name in found.keys() | CHANGEABLE_SETTINGS
        if found.get(name, ()) != CHANGEABLE_SETTINGS.get(name, ())
    ]


def wrong_grants(users: ET.Element) -> list[str]:
    """Grants that differ from one for each view."""
    return [*{*grants_of(users)} ^ {f"GRANT SELECT ON {DATABASE}.{view}" for view in VIEWS}]


def wrong_login(users: ET.Element) -> list[str]:
    """How bi logs in: with a password that comes from outside."""
    password = users.find("users/bi/password")
    if password is None or password.attrib != {"from_env": "RINGBACK_BI_PASSWORD"} or password.text:
        return ["password"]
    return [] if users.findtext("users/bi/profile") == "bi" else ["profile"]


FAULTS: list[tuple[Callable[[ET.Element], list[str]], str, str]] = [
    (wrong_limits, "<readonly>1<", "<readonly>2<"),
    (wrong_limits, "<max_memory_usage_for_user>4000000000<", "<max_memory_usage_for_user>0<"),
    (wrong_limits, "<max_memory_usage_for_user>4000000000<", "<max_memory_usage_for_user>6000000000<"),
    (wrong_limits, "<max_threads>2<", "<max_threads>0<"),
    (wrong_limits, "<priority>10<", "<priority>1<"),
    (wrong_limits, "<default>\n            <priority>1<", "<default>\n            <priority>20<"),
    (wrong_limits, "<max_memory_usage>2", "<max_memory_usage>5"),
    (wrong_bounds, "<max>120</max>", ""),
    (wrong_bounds, "<max>1000000</max>", "<max>0</max>"),
    (wrong_bounds, "<join_use_nulls>", f"<a>{CHANGEABLE}</a><join_use_nulls>"),
    (wrong_bounds, "async_insert", "async_inserts"),
    (wrong_grants, "<query>GRANT SELECT ON ringback.kpi_now</query>", ""),
    (wrong_grants, "ringback.kpi_now", "ringback.*"),
    (wrong_grants, "ringback.contact<", "ringback.contacts<"),
    (wrong_login, '<password from_env="RINGBACK_BI_PASSWORD"/>', "<password>hunter2</password>"),
    (wrong_login, "<profile>bi<", "<profile>default<"),
]  # fmt: skip


@pytest.mark.parametrize("rule", [wrong_limits, wrong_bounds, wrong_grants, wrong_login])
def test_the_bi_user_keeps_to_the_rule(rule: Callable[[ET.Element], list[str]]) -> None:
    assert rule(bi_xml()) == []


@pytest.mark.parametrize(("rule", "was", "fault"), FAULTS)
def test_the_rule_sees_a_planted_fault(rule: Callable[[ET.Element], list[str]], was: str, fault: str) -> None:
    text = USERS.read_text(encoding="utf-8")
    assert was in text
    assert rule(ET.fromstring(text.replace(was, fault))) != []  # noqa: S314 - our own file


ASK_ENGINE = """
import sys
from chdb.state.sqlitelike import Connection
handle = Connection(f"{sys.argv[1]}/data?config-file={sys.argv[1]}/config.xml")
for sql in ("SHOW CREATE SETTINGS PROFILE bi", "SHOW GRANTS FOR bi"):
    print(handle.query(sql, "TSVRaw").bytes().decode().strip())
"""
SERVER_USERS = """<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default>
<password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users></clickhouse>"""


@pytest.mark.stack
def test_clickhouse_itself_understands_the_bi_user(tmp_path: Path) -> None:
    (tmp_path / "users.d").mkdir()
    # The embedded engine has this word, but not the server setting (on by default) that allows it.
    users = USERS.read_text(encoding="utf-8").replace(CHANGEABLE, "")
    (tmp_path / "users.d" / "bi.xml").write_text(users, encoding="utf-8")
    (tmp_path / "users.xml").write_text(SERVER_USERS, encoding="utf-8")
    (tmp_path / "config.xml").write_text(
        f"<clickhouse><users_config>{tmp_path}/users.xml</users_config></clickhouse>", encoding="utf-8"
    )
    answer = subprocess.run(  # of its own: the engine opens once in a process
        [sys.executable, "-c", ASK_ENGINE, str(tmp_path)],
        env=os.environ | {"RINGBACK_BI_PASSWORD": "x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    profile, *grants = answer.stdout.splitlines()
    assert "readonly = 1, max_execution_time = 30. MIN 1. MAX 120.," in profile
    assert "max_memory_usage_for_user = 4000000000" in profile
    assert {*grants} == {f"GRANT SELECT ON {DATABASE}.{view} TO bi" for view in VIEWS}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and views as the user of the sink makes them, and users to ask as."""
    folder = tmp_path_factory.mktemp("bi")
    users = bi_xml()
    write_users(folder, "all", "", [])
    write_users(folder, "bi", profile_of(users, 1), [*grants_of(users), f"GRANT SELECT ON {DATABASE}.asking"])
    write_users(folder, "bounds", profile_of(users, 2), grants_of(users))
    write_users(folder, "generous", profile_of(users, 1), [f"GRANT SELECT ON {DATABASE}.*"])
    made = [statement for migration in migrations() for statement in migration.statements]
    # On a server the sink is `ringback`; here everybody is `default`.
    made += [
        sql.replace("SQL SECURITY", f"DEFINER = {OWNER} SQL SECURITY")
        for sql in statements(DEFAULT_RULES, "UTC").values()
    ]
    made += [
        "CREATE VIEW asking AS SELECT contact_id FROM contacts",
        "INSERT INTO contacts (contact_id, version) VALUES ('a', 1)",
        "INSERT INTO dead_letters (reason) VALUES ('secret')",
    ]
    begin = [f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}"]
    begin += [f"SET {name} = {value}" for name, value in STATEMENT_LIMITS.items()]
    assert [answer for answer in ask(folder, "all", [*begin, *made]) if answer] == []
    return folder


@pytest.mark.stack
def test_bi_reads_every_view_and_no_table(database: Path) -> None:
    tables = ask(
        database,
        "all",
        [f"SELECT name FROM system.tables WHERE database = '{DATABASE}' AND engine != 'View'"],
    )
    names = tables[0].splitlines()
    assert {"dead_letters", "contacts", "events", "kpi_windows"} <= {*names}
    given = {"window_as_published": "(moment = '2026-01-05 10:05:00')"}
    views = ask(
        database, "bi", [f"SELECT count() FROM {DATABASE}.{view}{given.get(view, '')}" for view in VIEWS]
    )
    assert [(view, answer) for view, answer in zip(VIEWS, views, strict=True) if not answer.isdigit()] == []
    assert views[VIEWS.index("contact")] == "1"
    read = [f"SELECT count() FROM {DATABASE}.{name}" for name in names]
    assert {*ask(database, "bi", read)} == {NOT_GRANTED}
    # So that this test can fail: the grant of former versions, and a view with the rights of who asks.
    assert ask(database, "generous", [f"SELECT reason FROM {DATABASE}.dead_letters"]) == ["secret"]
    assert ask(database, "bi", [f"SELECT * FROM {DATABASE}.asking"]) == [NOT_GRANTED]


@pytest.mark.stack
def test_bi_changes_nothing_and_reaches_nothing_else(database: Path) -> None:
    statements = [
        f"INSERT INTO {DATABASE}.contacts (contact_id) VALUES ('b')",
        f"DROP VIEW {DATABASE}.contact",
        f"CREATE VIEW {DATABASE}.mine AS SELECT 1",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        f"SELECT * FROM remote('127.0.0.1', '{DATABASE}', 'dead_letters')",
        f"SELECT * FROM merge('{DATABASE}', 'dead_letters')",
        "SYSTEM SHUTDOWN",
        "SET readonly = 0",
        "SET max_memory_usage_for_user = 0",
    ]
    answers, refused = ask(database, "bi", statements), (NOT_GRANTED, READONLY, NO_SUCH_TABLE)
    assert [sql for sql, answer in zip(statements, answers, strict=True) if answer not in refused] == []


@pytest.mark.stack
def test_what_clients_send_is_taken_within_its_bounds(database: Path) -> None:
    sent = [
        "async_insert = 0",
        "join_use_nulls = 1",
        "max_result_rows = 10",
        "result_overflow_mode = 'break'",
    ]
    sent += ["max_execution_time = 120", "session_timezone = 'Europe/Rome'", "enable_http_compression = 1"]
    sent += [f"additional_table_filters = {{'{DATABASE}.contact': 'contact_id = \\'b\\''}}"]
    too_much = [
        "max_result_rows = 0",
        "max_result_rows = 1000001",
        "max_execution_time = 0",
        "max_execution_time = 121",
    ]
    assert {setting.split(" ")[0] for setting in sent} == CHANGEABLE_SETTINGS.keys()
    asked = [f"SELECT count() FROM {DATABASE}.contact SETTINGS {setting}" for setting in [*sent, *too_much]]
    assert ask(database, "bounds", asked) == ["1"] * 7 + ["0"] + [OUT_OF_BOUNDS] * 4


@pytest.mark.stack
def test_a_filter_does_not_reach_the_tables_below_a_view(database: Path) -> None:
    """Else bi could count what it may not read: whether a hidden column of a table has some value."""
    filters = [("contacts", "version = 2"), ("contact", "contact_id IN (SELECT reason FROM dead_letters)")]
    asked = [
        f"SELECT count() FROM {DATABASE}.contact "
        f"SETTINGS additional_table_filters = {{'{DATABASE}.{table}': '{condition}'}}"
        for table, condition in filters
    ]
    assert ask(database, "bounds", [f"USE {DATABASE}", *asked]) == ["", "1", NOT_GRANTED]
