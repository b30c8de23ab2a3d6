"""Rules that are queries: what is refused, what their answers do, and what a wrong one does not do."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml
from support.alert_kills import HOOK, M, transitions
from support.command import ringback

from alerts.asking import Answer, QueryFault, fit, of_server
from alerts.detectors import detector_of_answers
from alerts.evaluate import Evaluator
from alerts.failing import TRIES, failing
from alerts.json_schema import schema_of
from alerts.ledger import Ledger
from alerts.message import quotient
from alerts.notify.post import Delivery, Request
from alerts.notify.text import details, title
from alerts.receivers import Receivers
from alerts.rule import RuleFile
from alerts.rule_file import BadRules, read_rules
from alerts.watching import Watchman, is_well
from alerts.when import SqlWhen
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.ladder import Series
from kpis.rules import DEFAULT_RULES

KPIS = every_kpi(DEFAULT_RULES)
BASE = 1_767_571_200_000  # 2026-01-05T00:00Z
GOOD = """version: 1
groups:
  - name: claims
    rules:
      - alert: OpenClaims
        by: [team]
        when:
          type: sql
          query: |
            SELECT team, count() AS value FROM claims
            WHERE opened < {now:DateTime64(3)} - INTERVAL 3 DAY GROUP BY team
          op: ">"
          limit: 20
        for: 2m
        keep_firing_for: 3m
        labels: {severity: ticket}
"""
ONE = "r.yaml:9: groups.rules.when.query: "
SELECT = f"{ONE}write one SELECT (or WITH ... SELECT)"


def rules(**changes: str) -> RuleFile:
    text = GOOD
    for old, new in changes.items():
        text = text.replace({"by": "by: [team]"}[old], new)
    return read_rules(text, "r.yaml", KPIS)


def test_a_good_one() -> None:
    ((rule, when),) = rules().groups[0].queries
    assert (rule.kpi, rule.about, rule.by, rule.for_ms) == ("", "sql", ("team",), 2 * M)
    assert (when.op, when.limit) == (">", 20)
    assert rules().groups[0].counted == ()
    assert rules().queries == ["OpenClaims"]
    jsonschema.Draft202012Validator(schema_of("rules")).validate(
        orjson.loads(orjson.dumps(yaml.safe_load(GOOD)))
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "{severity: ticket}", "{severity: page}",
            "r.yaml:7: sql is for tickets, as nothing can decide it again: write labels: {severity: ticket}",
        ),
        (
            "        labels: {severity: ticket}\n", "",
            "r.yaml:7: sql is for tickets, as nothing can decide it again: write labels: {severity: ticket}",
        ),
        (
            "        by:", "        kpi: service_level\n        by:",
            "r.yaml:6: leave kpi out: with type: sql the query says what is looked at",
        ),
        ("[team]", "[team]\n        where: {team: [a]}", "r.yaml:7: leave where out: write it in the query"),
        ("[team]", "[n]", "r.yaml:6: n is a figure and no label: give the column another name"),
        (
            "for: 2m", "no_data: alert",
            "r.yaml:14: a row that is not there has no labels: let the query return one with 0",
        ),
        ("SELECT team,", "INSERT INTO claims SELECT team,", SELECT),
        ("SELECT team,", "-- SELECT\n            DROP TABLE claims --", SELECT),
        ("GROUP BY team\n", "GROUP BY team;\n", f"{ONE}write one SELECT without ;"),
        ("GROUP BY team\n", "; DROP TABLE claims\n", f"{ONE}write one SELECT without ;"),
        (
            "GROUP BY team\n", "GROUP BY team SETTINGS max_execution_time = 0\n",
            f"{ONE}leave SETTINGS out, limits are fixed; write a column of that name in backticks",
        ),
        ("limit: 20", "target: 20", "r.yaml:13: groups.rules.when.target: unknown word; leave it out"),
    ],
)  # fmt: skip
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    with pytest.raises(BadRules) as caught:
        read_rules(GOOD.replace(old, new), "r.yaml", KPIS)
    assert fault in caught.value.faults


def test_whose_severity_is_its_groups_is_taken() -> None:
    text = GOOD.replace("        labels: {severity: ticket}\n", "")
    text = text.replace("  - name: claims\n", "  - name: claims\n    labels: {severity: ticket}\n")
    assert read_rules(text, "r.yaml", KPIS).queries == ["OpenClaims"]


def test_another_type_needs_its_kpi() -> None:
    text = GOOD[: GOOD.index("        when:")] + "        when: {type: objective, op: '<', target: 0.8}\n"
    with pytest.raises(BadRules, match=r"r.yaml:5: kpi is missing; see `ringback kpi --list`"):
        read_rules(text, "r.yaml", KPIS)
    schema = jsonschema.Draft202012Validator(schema_of("rules"))
    assert not schema.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("types", "fault"),
    [
        ({"team": "String", "value": "UInt64"}, ""),
        ({"team": "LowCardinality(String)", "value": "Nullable(Int32)", "n": "UInt8"}, ""),
        ({"value": "UInt64"}, "it does not return team"),
        ({"team": "String"}, "it does not return value"),
        ({"team": "String", "value": "Int64", "brand": "String"}, "it returns brand, which is no label"),
        ({"team": "String", "value": "Float64"}, "value is Float64: write whole numbers"),
        (
            {"team": "String", "value": "Int64", "n": "Decimal(9, 2)"},
            "n is Decimal(9, 2): write whole numbers",
        ),
        ({"team": "String", "value": "Array(UInt8)"}, "value is Array(UInt8)"),
    ],
)
def test_the_columns_are_those_of_the_rule(types: dict[str, str], fault: str) -> None:
    ((rule, _),) = rules().groups[0].queries
    if fault:
        with pytest.raises(QueryFault) as caught:
            fit(rule, types)
        assert str(caught.value).startswith(fault)
    else:
        fit(rule, types)


def test_what_clickhouse_says_is_a_line_about_the_query_as_it_is_written() -> None:
    said = "Received ClickHouse exception, code: 62, server response: Code: 62. DB::Exception: Syntax error: "
    said += "failed at position 23 (1) (line 3, col 7): 1\n) LIMIT 9 (for url http://127.0.0.1:1)"
    assert of_server(Exception(said)) == "Syntax error: failed at position 23 (1) (line 2, col 7): 1"
    assert of_server(Exception("DB::Exception: No (for url http://127.0.0.1:1)")) == "No"


@pytest.mark.parametrize(
    ("num", "den", "said"),
    [(3, 1, "3"), (12_345, 1, "12,345"), (1, 3, "0.3333"), (-7, 2, "-3.5"), (9_003, 2, "4,502")],
)
def test_figures_in_words(num: int, den: int, said: str) -> None:
    assert quotient(num, den) == said


def test_a_share_is_compared_as_it_is_and_not_rounded() -> None:
    when = SqlWhen(type="sql", query="SELECT 1 AS value", op="<", limit=0.1)
    assert when.limit == Fraction(1, 10)
    detector = detector_of_answers(when, M)
    for value, n, off in ((1, 10, False), (99_999, 1_000_000, True), (0, 1, True), (-1, 3, True)):
        series = Series()
        series.add(BASE - 1, value, n)
        assert detector.look([series], BASE, 0).breach is off


def steps(own: Evaluator, file: RuleFile, said: list[Answer | QueryFault], begin: int = 0) -> None:
    """A step a minute with what the query says at it."""
    (group,) = file.groups
    for number, answer in enumerate(said, begin + 1):
        at = BASE + number * M
        own.evaluate(group, {}, (at - M, at), at, {"OpenClaims": answer})


def team(name: str, value: int, n: int = 1) -> Answer:
    return {(("team", name),): (value, n)}


def kinds(ledger: Ledger) -> list[tuple[Any, ...]]:
    return [(dict(labels)["team"], kind, (at - BASE) // M) for _, labels, kind, at, _ in transitions(ledger)]


def test_it_fires_and_is_over_as_others_do(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    own = Evaluator(DEFAULT_RULES, ledger, (HOOK,))
    north, fine = team("north", 25) | team("south", 20), team("north", 3) | team("south", 20)
    steps(own, rules(), [north] * 5 + [fine] * 5)
    assert kinds(ledger) == [("north", "firing", 3), ("north", "resolved", 8)]
    firing = ledger.changes(9)[-1]
    assert (firing.seen["successes"], firing.seen["n"]) == (25, 1)
    sent = ledger.claim(BASE + 9 * M)
    assert sent is None  # over before it was tried
    bodies = [orjson.loads(text) for (text,) in ledger.db.execute("SELECT body FROM outbox")]
    assert [(body["kpi"], body["value"], body["labels"]) for body in bodies] == [
        ("sql", "25", {"team": "north", "severity": "ticket"})
    ]
    assert title(bodies[0]) == "[FIRING] OpenClaims: 25"
    assert details(bodies[0])[0].startswith("sql 25, objective at most 20; team north")
    assert details(bodies[0])[1] == f"explain: ringback alerts explain {firing.episode}"


def test_after_an_outage_it_is_asked_for_the_present_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    own, file = Evaluator(DEFAULT_RULES, ledger, (HOOK,)), rules()
    steps(own, file, [team("north", 25)] * 2)
    at = BASE + 60 * M
    own.evaluate(file.groups[0], {}, (BASE + 2 * M, at), at, {"OpenClaims": team("north", 25)})
    assert kinds(ledger) == [("north", "firing", 60)]


def test_no_row_is_no_data(tmp_path: Path) -> None:
    for no_data, expected in (("hold", ["firing", "expired"]), ("ok", ["firing", "resolved"])):
        file = read_rules(GOOD.replace("for: 2m", f"no_data: {no_data}\n        for: 2m"), "r.yaml", KPIS)
        ledger = Ledger(tmp_path / f"{no_data}.sqlite")
        steps(Evaluator(DEFAULT_RULES, ledger, ()), file, [team("north", 25)] * 4 + [{}] * 241)
        assert sorted(kind for _, kind, _ in kinds(ledger)) == sorted(expected)


def test_a_query_that_fails_changes_nothing_and_is_told_the_third_time(tmp_path: Path) -> None:
    ledger, beats = Ledger(tmp_path / "a.sqlite"), list[str]()
    own, file, fault = Evaluator(DEFAULT_RULES, ledger, (HOOK,)), rules(), QueryFault("no table claims")
    told = Receivers(version=1, receivers=(HOOK,), meta="hook", heartbeat=HOOK)
    watchman = Watchman(ledger, file, told, lambda _: 0)

    def post(request: Request) -> Delivery:
        beats.append(request.url)
        return Delivery("sent")

    def seen(minute: int) -> list[str]:
        return [*watchman.look(BASE + minute * M, post).values()]

    steps(own, file, [team("north", 25)] * 4)
    before = ledger.standings("OpenClaims")
    steps(own, file, [fault] * (TRIES - 1), 4)
    assert seen(6) == []
    steps(own, file, [fault], 6)
    assert seen(7) == ["the query of OpenClaims failed 3 times in a row: no table claims"]
    assert len(beats) == 2  # all else is well: nobody is to be called out of bed for a ticket
    assert seen(8) == seen(7)
    assert ledger.standings("OpenClaims") == before
    assert kinds(ledger) == [("north", "firing", 3)]
    metas = ledger.db.execute("SELECT count(*) FROM outbox WHERE kind = 'meta'").fetchone()
    assert metas == (1,)
    steps(own, file, [team("north", 25)], 9)
    assert seen(11) == []
    assert failing(ledger, file.queries) == {}


def test_only_what_holds_up_others_is_unwell() -> None:
    assert is_well({"query-A": ""})
    assert is_well({})
    assert not is_well({"query-A": "", "lag-g": ""})


def test_what_cannot_ask_says_so(tmp_path: Path) -> None:
    counted = "      - {alert: Low, kpi: service_level, when: {type: objective, op: '<', target: 0.8}}\n"
    (tmp_path / "rules.yaml").write_text(GOOD + counted)
    trials = "version: 1\nrules: rules.yaml\ntests:\n  - name: t\n    expect: [{alert: OpenClaims}]\n"
    trials += "    series: [{kpi: service_level, queue: q, counts: 1/1x9}]\n"
    (tmp_path / "tests.yaml").write_text(trials)
    nowhere = {"CLICKHOUSE_URL": "http://127.0.0.1:9/ringback", "RINGBACK_DATA_DIR": str(tmp_path)}
    done = ringback("alerts", "check", str(tmp_path / "rules.yaml"), **nowhere)
    assert done.status == 0
    assert "2 rules in 1 groups are in order" in done.stdout
    assert "nobody can say of OpenClaims" in done.stdout
    assert "not checked: OpenClaims, as no ClickHouse answers at http://127.0.0.1:9/ringback" in done.stdout
    done = ringback("alerts", "test", str(tmp_path / "tests.yaml"), **nowhere)
    assert done.status == 2
    assert ":5: OpenClaims is a query: only ClickHouse can say what it would do" in done.stderr
    (tmp_path / "tests.yaml").write_text(trials.replace("{alert: OpenClaims}", ""))
    done = ringback("alerts", "test", str(tmp_path / "tests.yaml"), **nowhere)
    assert done.status == 0
    assert "not tried: OpenClaims, decided by a query on ClickHouse as it stood then" in done.stdout
