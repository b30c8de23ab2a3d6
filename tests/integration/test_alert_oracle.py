"""Decisions are the same live, after kills, from rows in any order, and by SQL."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support import alert_world
from support.clickhouse import connect

from alerts.backtest import backtest
from alerts.decisions import Decision, decisions
from alerts.detectors import detector_of
from alerts.evaluate import Evaluator
from alerts.history import COLUMNS, moment
from alerts.label_sets import minutes_of
from alerts.ledger import Change, Ledger
from alerts.oracle import by_sql
from alerts.rule import Group, Rule, RuleFile
from alerts.service import catch_up
from alerts.verification import beside, compared
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from sinks.rows import FCR_WINDOW_COLUMNS, WINDOW_COLUMNS

pytestmark = pytest.mark.stack
M, H, D = 60_000, 3_600_000, 86_400_000
BASE = 1_767_571_200_000  # Monday 2026-01-05T00:00Z
SPAN = (BASE, BASE + 7 * H)
KPIS = every_kpi(DEFAULT_RULES)
LOW = {"type": "objective", "op": "<", "target": 0.8}
HIGH = {"type": "objective", "op": ">", "target": 0.08}
RULES: tuple[dict[str, Any], ...] = (
    {"alert": "Low", "kpi": "service_level", "by": ["queue"], "when": LOW},
    {"alert": "Usual", "kpi": "service_level", "when": LOW | {"usual": True}},
    {"alert": "High", "kpi": "abandonment_rate", "when": HIGH, "profile": "fast"},
    {"alert": "HighUsual", "kpi": "abandonment_rate", "when": HIGH | {"usual": True}, "for": "0s"},
    {"alert": "All", "kpi": "service_level", "by": [], "where": {"queue": ["A", "B"]}, "profile": "fast",
     "when": LOW | {"target": 0.75, "windows": ["10m", "45m"], "min_samples": 3, "fresh_min": 25}},
    {"alert": "Room", "kpi": "service_level", "profile": "quiet", "for": "1m",
     "when": LOW | {"slack": 0.3, "usual": True}},
    {"alert": "RoomAbove", "kpi": "abandonment_rate", "for": "1m", "when": HIGH | {"slack": 0.5}},
)  # fmt: skip

CALLED = {"by": ["queue"], "for": "0s", "keep_firing_for": "5m"}
TYPES: tuple[dict[str, Any], ...] = (
    {
        "alert": "Waiting",
        "kpi": "waiting_now",
        "when": {"type": "threshold", "op": ">", "limit": 4, "clear": 2},
    },
    {
        "alert": "Longest",
        "kpi": "longest_wait_now",
        "by": ["channel"],
        "when": {"type": "threshold", "op": ">", "limit": "10m"},
    },
    {
        "alert": "Slow",
        "kpi": "asa",
        "when": {"type": "threshold", "op": ">", "limit": "20500ms", "clear": "18s", "min_samples": 3},
    },
    {
        "alert": "Long",
        "kpi": "aht",
        "by": ["channel"],
        "when": {"type": "log_mean", "op": ">", "target": "345s", "p_value": 0.005, "min_samples": 5},
    },
    {"alert": "Few", "kpi": "offered", "when": {"type": "threshold", "op": "<", "limit": 9, "window": "10m"}},
    {
        "alert": "Silent",
        "kpi": "offered",
        "when": {"type": "absence", "expected": 20, "within": "2h", "weeks": 3},
    },
    {
        "alert": "Holiday",
        "kpi": "offered",
        "when": {"type": "absence", "expected": 20, "weeks": 3, "holidays": ["2026-03-23"]},
    },
    {
        "alert": "Fewer",
        "kpi": "offered",
        "when": {"type": "seasonal", "op": "<", "p_value": 0.001, "weeks": 3, "windows": ["30m", "2h"]},
    },
    {
        "alert": "More",
        "kpi": "offered",
        "when": {"type": "seasonal", "op": ">", "p_value": 0.01, "weeks": 4, "at_least_weeks": 2},
    },
    {
        "alert": "Burns",
        "kpi": "service_level",
        "labels": {"severity": "ticket"},
        "when": {
            "type": "burn_rate",
            "op": "<",
            "target": 0.8,
            "burns": [
                {"factor": 2.5, "long": "1h", "short": "5m"},
                {"factor": 2, "long": "3h", "short": "30m"},
            ],
        },
    },
    {
        "alert": "GivenUp",
        "kpi": "abandonment_rate",
        "labels": {"severity": "ticket"},
        "when": {
            "type": "burn_rate",
            "op": ">",
            "target": 0.15,
            "burns": [{"factor": 3, "long": "1h", "short": "9m"}],
        },
    },
    {
        "alert": "Repeats",
        "kpi": "fcr_net",
        "keep_firing_for": "20m",
        "when": {
            "type": "matured",
            "op": "<",
            "targets": {"1": 0.85, "3": 0.8},
            "windows": ["2h", "5h"],
            "min_samples": 8,
            "fresh_min": 15,
        },
    },
)
NO_DATA = ("Slow", "Long", "Burns", "GivenUp", "Repeats")  # where it can also be a breach  # fmt: skip


def row(rng: random.Random, minute: int, queue: str, channel: str, bad: bool) -> dict[str, Any]:
    """A minute of a queue: contacts, in time or not, and some that gave up."""
    n = rng.choice((0, 0, 2, 5)) if minute // H % 7 else 0
    good = sum(rng.random() < (0.3 if bad else 0.9) for _ in range(n))
    sums = {"answered_in_target": good, "service_level_n": n, "abandoned": n - good, "offered": n}
    return {"window_start": minute, "channel": channel, "queue": queue, "partition": 0, "version": 4} | (
        dict.fromkeys(MEASURES, 0) | {name: value for name, value in sums.items() if name in MEASURES}
    )


def world(rng: random.Random) -> list[dict[str, Any]]:
    """Seven hours of three queues, each with bad hours of its own, and what was usual in the weeks before.

    Of A enough is known of them, of B too little, of C nothing.
    """
    found = []
    for number in range(420):
        for place, (queue, channel) in enumerate((("A", "voice"), ("B", "chat"), ("C", "email"))):
            found.append(row(rng, BASE + number * M, queue, channel, number // 50 % 4 == place))
    for number in range(20 * 24):
        bad = rng.random() < 0.2
        for queue, channel in (("A", "voice"), ("B", "chat"))[: 1 + number % 2]:
            found.append(row(rng, BASE - 20 * D + number * H + H // 2, queue, channel, bad))
    return [one for one in found if one["service_level_n"]]


def as_stored(rng: random.Random, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same in any order, over partitions, some twice, and older versions that are not true any more."""
    found = []
    for one in rows:
        part = rng.randrange(3)
        found += [one | {"partition": part}] * rng.choice((1, 1, 2))
        if rng.random() < 0.3:
            found.append(one | {"partition": part, "version": 2, "answered_in_target": 0})
    rng.shuffle(found)
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    rng = random.Random(15)
    client = connect(tmp_path_factory.mktemp("oracle"))
    rows = as_stored(rng, world(rng))
    client.insert("kpi_windows", [[one[name] for name in WINDOW_COLUMNS] for one in rows],
                  column_names=WINDOW_COLUMNS)  # fmt: skip
    for table, columns, found in (
        ("kpi_windows", WINDOW_COLUMNS, alert_world.windows(rng)),
        ("fcr_windows", FCR_WINDOW_COLUMNS, alert_world.repeats(rng)),
        ("legs", [*(legs := alert_world.legs(rng))[0]], legs),
    ):
        blank = dict.fromkeys(columns, 0) | {"version": 2}
        client.insert(table, [[*(blank | one).values()] for one in found], column_names=columns)
    yield client
    client.close()


def file_of(*rules: dict[str, Any]) -> RuleFile:
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": list(rules)}]})


def by_code(
    client: Client, group: Group, rule: Rule, span: tuple[int, int] = SPAN, zone: str = "UTC"
) -> list[Decision]:
    detectors = {each.alert: detector_of(each, KPIS[each.kpi], zone) for each in group.rules}
    minutes = minutes_of(client, group, KPIS, detectors, span, DEFAULT_RULES)
    return decisions(group, rule, KPIS, detectors[rule.alert], minutes, span, DEFAULT_RULES.async_channels)


@pytest.mark.parametrize("given", RULES, ids=lambda rule: rule["alert"])
def test_sql_decides_the_same(stored: Client, given: dict[str, Any]) -> None:
    (group,) = file_of(given).groups
    (rule,) = group.rules
    found = by_code(stored, group, rule)
    assert {each.kind for each in found} >= {"firing", "resolved"}
    assert by_sql(stored, group, rule, KPIS[rule.kpi], SPAN, DEFAULT_RULES, "UTC") == found


@pytest.mark.parametrize("given", TYPES, ids=lambda rule: rule["alert"])
def test_sql_decides_the_same_of_every_type(stored: Client, given: dict[str, Any]) -> None:
    (group,) = file_of(CALLED | given).groups
    (rule,) = group.rules
    span, zone = alert_world.SPAN, alert_world.ZONE
    found = by_code(stored, group, rule, span, zone)
    assert {each.kind for each in found} >= {"firing", "resolved"}
    assert by_sql(stored, group, rule, KPIS[rule.kpi], span, DEFAULT_RULES, zone) == found


@pytest.mark.parametrize("no_data", ["ok", "alert"])
@pytest.mark.parametrize("given", RULES, ids=lambda rule: rule["alert"])
def test_sql_takes_a_time_without_contacts_as_the_rule_does(
    stored: Client, given: dict[str, Any], no_data: str
) -> None:
    """After seven hours nobody calls any more."""
    (group,) = file_of(given | {"no_data": no_data}).groups
    (rule,) = group.rules
    span = (BASE, BASE + 13 * H)
    found = by_code(stored, group, rule, span)
    nothing_held = (rule.alert, no_data) == ("HighUsual", "ok")  # all of it is over by then
    assert nothing_held or found != by_code(stored, *held(given), span)
    assert by_sql(stored, group, rule, KPIS[rule.kpi], span, DEFAULT_RULES, "UTC") == found


@pytest.mark.parametrize("no_data", ["ok", "alert"])
@pytest.mark.parametrize(
    "given", [rule for rule in TYPES if rule["alert"] in NO_DATA], ids=lambda rule: rule["alert"]
)
def test_sql_takes_it_so_of_every_type(stored: Client, given: dict[str, Any], no_data: str) -> None:
    (group,) = file_of(CALLED | given | {"no_data": no_data}).groups
    (rule,) = group.rules
    span, zone = (alert_world.BASE, alert_world.BASE + 16 * H), alert_world.ZONE
    found = by_code(stored, group, rule, span, zone)
    assert no_data == "ok" or found != by_code(stored, *held(CALLED | given), span, zone)
    assert by_sql(stored, group, rule, KPIS[rule.kpi], span, DEFAULT_RULES, zone) == found


def held(given: dict[str, Any]) -> tuple[Group, Rule]:
    """The same rule, whose clocks stand still."""
    (group,) = file_of(given).groups
    return group, group.rules[0]


def test_an_episode_without_contacts_expires_by_sql_too(stored: Client) -> None:
    """After seven hours nobody calls any more."""
    (group,) = file_of(RULES[0] | {"keep_firing_for": "9h"}).groups
    (rule,) = group.rules
    span = (BASE, BASE + 12 * H)
    found = by_code(stored, group, rule, span)
    assert "expired" in {each.kind for each in found}
    assert by_sql(stored, group, rule, KPIS[rule.kpi], span, DEFAULT_RULES, "UTC") == found


def as_decided(change: Change) -> Decision:
    counts = (change.seen[name] for name in ("window_ms", "successes", "n"))
    return Decision(change.at, change.alert, change.labels, change.kind, change.opened_at, *counts)


def test_live_through_kills_it_is_the_same(stored: Client, tmp_path: Path) -> None:
    """Evaluators that each live for minutes to hours, one of which dies within its evaluation."""
    rng, (group,) = random.Random(3), file_of(RULES[0], RULES[1]).groups
    now, path = SPAN[0], tmp_path / "alerts.sqlite"
    first = Ledger(path)
    first.advance(group.name, SPAN[0])
    first.close()
    while now < SPAN[1] + M:
        now = min(now + rng.choice((1, 1, 3, 40)) * M, SPAN[1] + M)
        ledger = Ledger(path)
        kill = rng.random() < 0.3
        evaluator = Evaluator(DEFAULT_RULES, ledger, ())
        if kill:
            ledger.advance = killed  # type: ignore[method-assign]
        try:
            catch_up(group, evaluator, stored, now)
        except KeyboardInterrupt:
            now -= M  # who comes next finds the time not much later
        ledger.close()
    ledger = Ledger(path)
    live = sorted(as_decided(change) for change in ledger.changes(10_000))
    ledger.close()
    assert live == sorted([*by_code(stored, group, group.rules[0]), *by_code(stored, group, group.rules[1])])


def killed(*_: object) -> None:
    """The last step of an evaluation does not happen."""
    raise KeyboardInterrupt


def test_a_backtest_knows_what_was_published_and_no_more(stored: Client) -> None:
    """The bad hour of a queue became known ten minutes late."""
    begin, values, rows = BASE + 100 * D, [], []
    for number in range(180):
        minute, bad = begin + number * M, number >= 60
        sums = {"answered_in_target": 1 if bad else 10, "service_level_n": 10}
        published = [(1, {}, 1), (11, sums, 2)] if bad else [(1, sums, 2)]
        for after, counts, version in published:
            at = datetime.fromtimestamp((minute + after * M) / 1000, UTC)
            values.append([minute, "voice", "late", 0, 0, counts, version, at])
        place = {"window_start": minute, "channel": "voice", "queue": "late", "partition": 0, "version": 2}
        rows.append(place | dict.fromkeys(MEASURES, 0) | sums)
    stored.insert("kpi_windows", [[one[name] for name in WINDOW_COLUMNS] for one in rows],
                  column_names=WINDOW_COLUMNS)  # fmt: skip
    columns = ("window_start", "channel", "queue", "days", "partition", "measures", "version", "published_at")
    stored.command("ALTER TABLE published_windows REMOVE TTL")  # these are of long ago
    stored.insert("published_windows", values, column_names=columns)
    file, span = file_of(RULES[0]), (begin, begin + 3 * H)
    then = backtest(stored, file, DEFAULT_RULES, "UTC", span, True)
    now = backtest(stored, file, DEFAULT_RULES, "UTC", span, False)
    assert (then.minutes, then.then, now.then) == (180, 180, 0)
    assert (then.episodes[0].fired_at - now.episodes[0].fired_at) // M == 6


def test_rules_are_compared_with_what_was_decided_live(stored: Client) -> None:
    """Live a quiet rule told all but one episode, and another rule, which is gone by now, told one."""
    quiet = file_of(RULES[0] | {"profile": "quiet"})
    first, *live = backtest(stored, quiet, DEFAULT_RULES, "UTC", SPAN, False).episodes
    told = [*live, replace(first, alert="Gone", ended_at=None)]
    rows = [
        (one.alert, dict(one.labels), kind, moment(at), moment(one.began_at), str(nth), one.kpi, 0, 0, 0, 1)
        for nth, one in enumerate(told)
        for kind, at in (("firing", one.fired_at), (one.ending, one.ended_at))
        if at is not None
    ]  # fmt: skip
    stored.insert("alert_transitions", rows, column_names=COLUMNS)
    try:
        now = backtest(stored, file_of(RULES[0]), DEFAULT_RULES, "UTC", SPAN, False).episodes
        found = beside(stored, now, SPAN)
    finally:
        stored.command("TRUNCATE TABLE alert_transitions")
    assert [each[0] for each in found.only_live] == ["Gone"]
    assert [each[1] for each in found.only_these] == [first.labels]
    assert found.both == len(now) - 1 > 3


def test_what_differs_is_said(stored: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_of(RULES[0])
    report = compared(stored, file, DEFAULT_RULES, "UTC", SPAN, SPAN[1] + H)
    assert report.decided > 2
    assert (report.by_one, report.stored) == ([], 0)
    assert len(report.only_now) > 1
    monkeypatch.setattr("alerts.verification.by_sql", lambda *_: [])
    assert len(compared(stored, file, DEFAULT_RULES, "UTC", SPAN, SPAN[1] + H).by_one) == report.decided
