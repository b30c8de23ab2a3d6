"""Rules that are queries, on a real ClickHouse: a ticket and its end; what is wrong is one rule's fault."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from clickhouse_connect.driver.client import Client
from support.alert_servers import Got, api
from support.embedded import credentials
from support.numbers import answer, ended
from support.stack import Running, wait_until

from alerts.asking import LIMITS, ROWS_MAX, Answer, QueryFault, answers, described
from alerts.rule import Group, RuleFile
from cli.port_offsets import PORT_OFFSETS
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from sinks.connection import connect
from sql.migrate import migrations

pytestmark = pytest.mark.stack
NOW = 1_767_571_200_000  # 2026-01-05T00:00Z
GROUP = """  - name: claims
    interval: 1s
    rules:
      - alert: OpenClaims
        by: [team]
        when:
          type: sql
          query: |
            SELECT team, sum(open) AS value FROM claims
            WHERE opened < {now:DateTime64(3)} GROUP BY team
          op: ">"
          limit: 20
        for: 2s
        keep_firing_for: 2s
        settle: 0s
        labels: {severity: ticket}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    server.start()
    login = credentials(server)
    at = f"http://{login['X-ClickHouse-User']}:{login['X-ClickHouse-Key']}@127.0.0.1:{server.port}/ringback"
    with connect(at) as client:
        for migration in migrations():
            for statement in migration.statements:
                client.command(statement)
        client.command(
            "CREATE TABLE claims (team String, open Int64, opened DateTime64(3, 'UTC'), mean Float64) "
            "ENGINE = MergeTree ORDER BY team"
        )
        client.command(
            "INSERT INTO claims VALUES ('north', 25, '2026-01-01', 1.5), ('south', 3, '2026-01-01', 2)"
        )
    yield at
    server.stop()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with connect(url) as connection:
        yield connection


def group(query: str, by: str = "team") -> Group:
    when = {"type": "sql", "query": query, "op": ">", "limit": 20}
    rule = {"alert": "A", "by": [by] if by else [], "when": when, "labels": {"severity": "ticket"}}
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": [rule]}]}).groups[0]


def said(client: Client, query: str, by: str = "team") -> Answer | QueryFault:
    return answers(client, group(query, by), NOW)["A"]


def test_what_a_query_finds(client: Client) -> None:
    found = said(client, "SELECT team, open AS value FROM claims -- all of them")
    assert found == {(("team", "north"),): (25, 1), (("team", "south"),): (3, 1)}
    share = (
        "WITH 20 AS most SELECT team, countIf(open > most) AS value, count() AS n FROM claims GROUP BY team"
    )
    assert said(client, share) == {(("team", "north"),): (1, 1), (("team", "south"),): (0, 1)}
    # The step, whatever zone the server has; a percent sign and a parameter's spelling are the query's own.
    assert said(client, "SELECT toUnixTimestamp({now:DateTime}) AS value, '%s {x} %' AS team") == {
        (("team", "%s {x} %"),): (NOW // 1000, 1)
    }
    assert said(client, "SELECT toInt64(NULL) AS value UNION ALL SELECT 1 WHERE 0", "") == {}
    assert said(client, "SELECT NULL::Nullable(String) AS team, 5 AS value, 0 AS n") == {}
    assert said(client, "SELECT toNullable('x') AS team, 5 AS value, -1 AS n") == {}
    assert said(client, "SELECT toUInt16(7) AS team, 5 AS value") == {(("team", "7"),): (5, 1)}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELECT team, opn AS value FROM claims", "Unknown expression identifier"),
        ("SELECT team, open AS value FROM claimz", "claimz"),
        ("SELECT team,\n  open value FROM claims WHERE GROUP BY", "(line 2, col"),
        ("SELECT team, {then:DateTime} AS value FROM claims", "`then` is not set"),
        ("SELECT team, mean AS value FROM claims", "value is Float64: write whole numbers"),
        ("SELECT team, open FROM claims", "it does not return value"),
        ("SELECT * FROM (SELECT 'a' AS team, 1 AS value)) UNION ALL (SELECT 'b', 2", "Syntax error"),
        ("SELECT 'a' AS team, 1 AS value INTO OUTFILE 'claims.tsv'", "Syntax error"),
        ("SELECT team, open AS value FROM claims FORMAT TSV", "Syntax error"),
        ("SELECT _path AS team, 1 AS value FROM file('/etc/passwd', 'LineAsString')", "not allowed"),
        ("SELECT 'a' AS team, 1 AS value FROM url('http://127.0.0.1:9/', 'LineAsString')", "not allowed"),
        (
            "WITH x AS (INSERT INTO claims SELECT 'x', 1, now(), 1) SELECT 'a' AS team, 1 AS value",
            "Syntax error",
        ),
    ],
)
def test_what_is_wrong_is_said_beforehand_and_when_it_is_asked(
    client: Client, query: str, fault: str
) -> None:
    found = said(client, query)
    assert isinstance(found, QueryFault)
    assert fault in str(found)
    ((rule, when),) = group(query).queries
    with pytest.raises(QueryFault) as caught:
        described(client, rule, when, NOW)
    assert fault in str(caught.value)
    assert client.query("SELECT count() FROM claims").result_rows == [(2,)]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELECT '' AS team, count() AS value FROM numbers(2000000000)", "max_rows_to_read"),
        ("SELECT '' AS team, length(groupArray(number)) AS value FROM numbers(900000000)", "emory limit"),
        (f"SELECT toString(number) AS team, 1 AS value FROM numbers({ROWS_MAX + 1})", "Limit for result"),
        ("SELECT concat(repeat('x', 999999), repeat('y', 9)) AS team, 1 AS value", "Limit for result"),
        ("SELECT 'a' AS team, number AS value FROM numbers(2)", "two rows for team=a: group by team"),
        ("SELECT 'a' AS team, throwIf(number = 1) AS value FROM numbers(2)", "Value passed to 'throwIf'"),
        ("SELECT 'a' AS team, 9223372036854775808 AS value", "9223372036854775808 is too great a number"),
    ],
)  # fmt: skip
def test_what_only_the_answer_shows(client: Client, query: str, fault: str) -> None:
    found = said(client, query)
    assert isinstance(found, QueryFault)
    assert fault in str(found)


def test_a_query_that_takes_too_long_ends(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "max_execution_time", 1)
    endless = (
        "SELECT 'a' AS team, count() AS value FROM numbers(900000000) WHERE SHA512(toString(number)) = ''"
    )
    found = said(client, endless)
    assert isinstance(found, QueryFault)
    assert "Timeout exceeded" in str(found)


def test_as_many_rows_as_may_be_are_read(client: Client) -> None:
    found = said(client, f"SELECT toString(number) AS team, 1 AS value FROM numbers({ROWS_MAX})")
    assert isinstance(found, dict)
    assert len(found) == ROWS_MAX


def statuses(got: Got) -> list[str]:
    return [orjson.loads(each["body"])["status"] for each in [*got]]


def test_a_ticket_and_its_end_beside_a_query_that_fails(url: str, client: Client, tmp_path: Path) -> None:
    rules, receivers = tmp_path / "rules.yaml", tmp_path / "receivers.yaml"
    wrong = (
        GROUP[GROUP.index("      - alert") :].replace("OpenClaims", "Wrong").replace("sum(open)", "sum(opn)")
    )
    rules.write_text(f"version: 1\ngroups:\n{GROUP}{wrong}")
    env = {
        "CLICKHOUSE_URL": url,
        "RINGBACK_DATA_DIR": str(tmp_path),
        "RINGBACK_METRICS_PORT": str(free_port(*PORT_OFFSETS)),
        "RINGBACK_ALERT_RULES": str(rules),
    }
    refused = ended(env, 2, "alerts", "check", str(rules))
    assert f"{rules}:23: the query of Wrong: " in refused.stderr
    assert "opn" in refused.stderr
    with api() as (server, got, _):
        receivers.write_text(
            "version: 1\nmeta: hook\nreceivers:\n"
            f"  - {{name: hook, type: webhook, url: '{server}/hook', allow_private: true}}\n"
        )
        running = Running(env, "alerts", "run", "--receivers", str(receivers))
        try:
            wait_until(lambda: "firing" in statuses(got), "no ticket")
            client.command("INSERT INTO claims VALUES ('north', -20, '2026-01-01', 0)")
            wait_until(lambda: "resolved" in statuses(got), "its end is not told")
            wait_until(lambda: "meta" in statuses(got), "nobody hears of the wrong query", 150)
        finally:
            running.process.stop()
            client.command("ALTER TABLE claims DELETE WHERE open = -20 SETTINGS mutations_sync = 1")
    assert "Traceback" not in running.log()
    assert sorted(statuses(got)) == ["firing", "meta", "resolved"]
    stored = "SELECT alert, labels, kind, kpi, successes, n FROM alert_transitions FINAL ORDER BY at"
    assert client.query(stored).result_rows == [
        ("OpenClaims", {"team": "north"}, "firing", "sql", 25, 1),
        ("OpenClaims", {"team": "north"}, "resolved", "sql", 5, 1),
    ]
    episode = answer(env, "alerts", "list")["changes"][0]["episode"]
    explained = ended(env, 0, "alerts", "explain", episode).stdout
    assert "firing: OpenClaims team=north" in explained
    assert "decided by a query, on ClickHouse as it stood then" in explained
    assert "SELECT team, sum(open) AS value FROM claims" in explained
    assert len(answer(env, "alerts", "explain", episode)["changes"]) == 2
    said = "OpenClaims, Wrong, decided by a query on ClickHouse as it stood then"
    assert f"not repeated: {said}" in ended(env, 0, "alerts", "backtest", "--since", "1h").stdout
    aside = answer(env, "alerts", "backtest", "--since", "1h", "--beside")
    assert aside == {"episodes": [], "differences": []}
    verified = ended(env, 0, "alerts", "verify", "--last", "1h").stdout
    assert "0 episodes were decided at their time" in verified
    assert f"not decided again: {said}" in verified
