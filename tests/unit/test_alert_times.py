"""Times by name, and alerts that make others superfluous: in Alertmanager's words."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerts.grouping import tell
from alerts.holding import Holding, Known
from alerts.label_sets import LabelSet
from alerts.ledger import Ledger
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.receivers import Mute, Receivers
from alerts.routing import ways
from alerts.rule_file import BadRules, read_receivers
from alerts.silences import Silences
from alerts.time_intervals import TimeInterval
from kpis.dips.machine import Standing

HEAD = "version: 1\nreceivers:\n  - {name: mail, type: webhook, url: http://x}\n"
NIGHT = [
    {"times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "06:00"}]}
]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("when", "yes", "no"),
    [
        ({"weekdays": ["monday:friday"]}, "2026-11-27", "2026-11-28"),
        ({"weekdays": ["saturday", "sunday"]}, "2026-11-29", "2026-11-30"),
        ({"times": [{"start_time": "09:00", "end_time": "17:00"}]}, "2026-11-27T09:00", "2026-11-27T17:00"),
        ({"times": [{"start_time": 1260, "end_time": "24:00"}]}, "2026-11-27T21:00", "2026-11-27T20:59"),
        ({"days_of_month": ["1:5"]}, "2026-11-05", "2026-11-06"),
        ({"days_of_month": ["-1"]}, "2028-02-29", "2028-02-28"),
        ({"days_of_month": ["-3:-1"]}, "2026-02-26", "2026-02-25"),
        ({"days_of_month": ["30:-1"]}, "2026-01-30", "2026-02-28"),
        ({"days_of_month": ["25"], "months": ["december"]}, "2026-12-25", "2026-11-25"),
        ({"months": ["may:august", "12"]}, "2026-12-01", "2026-09-01"),
        ({"years": ["2026:2027", 2030]}, "2030-01-01", "2029-12-31"),
        ({"weekdays": ["monday"], "location": "Europe/Rome"}, "2026-11-29T23:00", "2026-11-29T22:59"),
    ],
)
def test_times_hold_where_they_are_said(when: dict[str, Any], yes: str, no: str) -> None:
    interval = TimeInterval.model_validate(when)
    assert interval.holds(at(yes))
    assert not interval.holds(at(no))


@pytest.mark.parametrize(
    ("when", "fault"),
    [
        ("{weekdays: [fri]}", "weekdays: write one in quotes, such as saturday"),
        ("{weekdays: ['5']}", "weekdays: write one in quotes, such as saturday"),
        ("{weekdays: ['friday:sunday']}", "weekdays: write one in quotes"),
        ("{days_of_month: [1:5]}", "days_of_month: write one in quotes, such as '24'"),  # 65 to YAML
        ("{days_of_month: ['0']}", "days_of_month: write one in quotes"),
        ("{days_of_month: ['-3:3']}", "days_of_month: write one in quotes"),
        ("{days_of_month: ['5:1']}", "days_of_month: write one in quotes"),
        ("{days_of_month: ['1:2:3']}", "days_of_month: write one in quotes"),
        ("{months: [dec]}", "months: write one in quotes, such as december"),
        ("{years: [soon]}", "years: write one in quotes, such as '2026'"),
        (
            "{times: [{start_time: '9:00', end_time: '17:00'}]}",
            "times.start_time: write a time such as",
        ),
        ("{times: [{start_time: '22:00', end_time: '06:00'}]}", "times: it ends before it begins"),
        ("{location: Roma, weekdays: [monday]}", "location: no time zone Roma"),
        ("{location: Europe/Rome}", "say when: times, weekdays, days_of_month, months or years"),
        ("{week_days: [monday]}", "week_days: unknown word; did you mean weekdays?"),
    ],
)
def test_times_that_are_none_are_refused(tmp_path: Path, when: str, fault: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}time_intervals:\n  - name: x\n    time_intervals:\n      - {when}\n")
    with pytest.raises(BadRules, match=rf":7: .*{re.escape(fault)}"):
        read_receivers(path)


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("route:\n  receiver: mail\n  mute_time_intervals: [x]", 6, "the first route always tells"),
        ("route:\n  receiver: mail\n  routes:\n    - {matchers: [a=b], active_time_intervals: [y]}", 7,
         "there are no times y; time_intervals has none"),
        ("mute_time_intervals: []", 4, "mute_time_intervals: it does not stand here"),
        ("time_intervals:\n" + 2 * "  - {name: x, time_intervals: [{years: [2026]}]}\n", 6, "there twice"),
        ("inhibit_rules:\n  - {source_matchers: [a=b], equal: [queue]}", 5, "target_matchers: is missing"),
        ("inhibit_rules:\n  - {source_matchers: [], target_matchers: [a=b]}", 5, "source_matchers: "),
        ("inhibit_rules:\n  - {source_match: {a: b}, target_matchers: [a=b]}", 5, "write source_matchers"),
        ("inhibit_rules:\n  - {source_matchers: [a=b], target_matchers: [a=b], equal: ['...']}", 5,
         "write the labels"),
    ],
)  # fmt: skip
def test_what_is_wrong_beside_routes_is_said(tmp_path: Path, text: str, line: int, fault: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}{text}\n")
    with pytest.raises(BadRules) as caught:
        read_receivers(path)
    assert any(f"r.yaml:{line}: " in each and fault in each for each in caught.value.faults)


def told_by(**file: Any) -> Receivers:
    hooks = [{"name": name, "type": "webhook", "url": "http://x"} for name in ("mail", "chat")]
    return Receivers.model_validate({"version": 1, "receivers": hooks} | file)


RULES = {
    "Low": Known("objective", "service_level", "page", ("channel", "queue"), "<", {"severity": "page"}),
    "Wide": Known("objective", "service_level", "page", ("channel",), "<", {"severity": "page"}),
    "High": Known("objective", "service_level", "page", ("channel",), ">", {"severity": "page"}),
    "AskWide": Known("sql", "sql", "ticket", ("channel",), "<", {"severity": "ticket"}),
    "Ask": Known("sql", "sql", "ticket", ("channel", "queue"), "<", {"severity": "ticket"}),
    "Slow": Known("log_mean", "asa", "ticket", ("queue",), ">", {"severity": "ticket"}),
}
SALES: LabelSet = (("channel", "voice"), ("queue", "sales"))


class Desk:
    """Alerts told by a file of receivers, and what each receiver heard."""

    def __init__(self, folder: Path, told: Receivers) -> None:
        self.ledger, self.told = Ledger(folder / "a.sqlite"), told
        self.holding = Holding(Silences(self.ledger), RULES, told)
        self.heard: list[str] = []

    def fire(self, alert: str, now: int, **labels: str) -> None:
        body = {
            "alert": alert,
            "status": "firing",
            "annotations": {},
            "labels": {**labels, **RULES[alert].labels},
        }
        body |= {"value": "", "n": 1, "window_ms": 0, "opened_at": "", "at": "", "episode": "", "kpi": "",
                 "objective": ""}  # fmt: skip
        for way in ways(self.told.receivers, self.told.route, body):
            with self.ledger.transaction():
                tell(self.ledger, way, f"{alert}{labels['queue']}", "firing", body, now)

    def send(self, now: int) -> list[str]:
        found: list[str] = []

        def post(request: Request) -> Delivery:
            body = orjson.loads(request.body)
            found.append(
                f"{request.headers['Idempotency-Key'].rsplit('-')[-1]} {len(body.get('alerts', '1'))}"
            )
            return Delivery("sent")

        known = {receiver.name: receiver for receiver in self.told.receivers}
        send_due(self.ledger, known, lambda: now, post, self.holding)
        return found


def routed(**words: Any) -> Receivers:
    below = {"matchers": ['severity="page"'], "receiver": "chat", "group_by": ["..."]} | words
    tree = {"receiver": "mail", "routes": [below]}
    return told_by(route=tree, time_intervals=[{"name": "night", "time_intervals": NIGHT}])


@pytest.mark.parametrize("word", ["mute_time_intervals", "active_time_intervals"])
def test_a_muted_route_tells_what_still_fires_when_it_may(tmp_path: Path, word: str) -> None:
    desk, now = Desk(tmp_path, routed(**{word: ["night"]})), at("2026-11-27T21:59")
    for number in range(3):
        desk.fire("Low", now, queue=f"q{number}")
    heard = {minute: found for minute in range(0, 700, 5) if (found := desk.send(now + minute * 60_000))}
    assert heard == ({0: ["chat 1"] * 3} if word.startswith("mute") else {5: ["chat 1"] * 3})
    desk.fire("Low", at("2026-11-28T05:00"), queue="late")
    desk.fire("Low", at("2026-11-28T05:00"), queue="later")
    found = [desk.send(at(f"2026-11-28T0{hour}")) for hour in ("5:01", "5:59", "6:00", "6:01")]
    assert found == (
        [[], [], ["chat 1"] * 2, []] if word.startswith("mute") else [["chat 1"] * 2, [], [], []]
    )


def test_a_group_on_a_muted_route_is_told_as_one_afterwards(tmp_path: Path) -> None:
    desk = Desk(tmp_path, routed(group_by=["alert"], mute_time_intervals=["night"]))
    for number in range(4):
        now = at(f"2026-11-27T23:0{number}")
        desk.fire("Low", now, queue=f"q{number}")
        assert desk.send(now) == []
    assert desk.send(at("2026-11-28T05:30")) == []
    assert len(desk.send(at("2026-11-28T06:01"))) == 1
    (row,) = desk.ledger.db.execute("SELECT body FROM outbox WHERE kind = 'group'").fetchall()
    assert len(orjson.loads(row[0])["alerts"]) == 4


def test_a_receiver_is_told_at_night_if_another_route_leads_to_it(tmp_path: Path) -> None:
    tree = {"receiver": "mail", "routes": [
        {"matchers": ["severity=page"], "receiver": "chat", "group_by": ["..."], "continue": True,
         "mute_time_intervals": ["night"]},
        {"matchers": ["queue=vip"], "receiver": "chat"},
    ]}  # fmt: skip
    night = [{"name": "night", "time_intervals": NIGHT}]
    desk = Desk(tmp_path, told_by(route=tree, time_intervals=night))
    now = at("2026-11-27T23:00")
    desk.fire("Low", now, queue="vip")
    desk.fire("Low", now, queue="sales")
    assert desk.send(now) == ["chat 1"]


@pytest.mark.parametrize(
    ("rule", "labels", "held"),
    [
        ({"equal": ["queue"]}, SALES, True),
        ({"equal": ["channel", "queue"]}, SALES, True),
        ({"equal": ["queue"]}, (("queue", "support"),), False),
        ({"equal": ["team"]}, SALES, False),  # neither has it: two that have not are not the same
        ({}, (("queue", "support"),), True),
        ({"equal": ["queue"], "source_matchers": ["alertname=Low", "queue!=sales"]}, SALES, False),
        ({"equal": ["queue"], "target_matchers": ["severity=page"]}, SALES, False),
    ],
)
def test_an_inhibition_of_ones_own(
    tmp_path: Path, rule: dict[str, Any], labels: LabelSet, held: bool
) -> None:
    given = {"source_matchers": ["alert=Low"], "target_matchers": ['severity="ticket"']} | rule
    desk = Desk(tmp_path, told_by(inhibit_rules=[given], route={"receiver": "mail", "group_by": ["..."]}))
    desk.ledger.stand("Low", labels, Standing("firing", 0))
    desk.fire("Slow", at("2026-11-27"), channel="voice", queue="sales")
    assert desk.send(at("2026-11-27")) == ([] if held else ["mail 1"])
    desk.ledger.stand("Low", labels, Standing())
    assert desk.send(at("2026-11-27T00:02")) == (["mail 1"] if held else [])


def test_two_that_could_say_it_of_each_other_are_both_told(tmp_path: Path) -> None:
    rule = {"source_matchers": ["severity=page"], "target_matchers": ["channel=voice"], "equal": ["queue"]}
    desk = Desk(tmp_path, told_by(inhibit_rules=[rule], route={"receiver": "mail", "group_by": ["..."]}))
    for alert in ("Low", "High"):
        desk.ledger.stand(alert, SALES, Standing("firing", 0))
        desk.fire(alert, at("2026-11-27"), channel="voice", queue="sales")
    assert desk.send(at("2026-11-27")) == ["mail 1", "mail 1"]


@pytest.mark.parametrize(
    ("wide", "channel", "alert", "held"),
    [
        ("Wide", "voice", "Low", True),
        ("High", "voice", "Low", False),
        ("Wide", "chat", "Low", False),
        ("AskWide", "voice", "Ask", False),  # two queries, of who knows what
    ],
)
def test_a_channel_says_it_for_its_queues(
    tmp_path: Path, wide: str, channel: str, alert: str, held: bool
) -> None:
    desk = Desk(tmp_path, told_by(route={"receiver": "mail", "group_by": ["..."]}))
    desk.ledger.stand(wide, (("channel", channel),), Standing("firing", 0))
    desk.fire(alert, at("2026-11-27"), channel="voice", queue="sales")
    assert desk.send(at("2026-11-27")) == ([] if held else ["mail 1"])


def test_a_mute_may_be_of_dates(tmp_path: Path) -> None:
    holiday = Mute.model_validate({"dates": ["2026-12-25"], "zone": "Europe/Rome"})
    told = told_by()
    told = told.model_copy(
        update={"receivers": [each.model_copy(update={"mute": (holiday,)}) for each in told.receivers]}
    )
    desk = Desk(tmp_path, told)
    desk.fire("Low", at("2026-12-24T23:30"), queue="sales")
    assert desk.send(at("2026-12-24T23:30")) == []
    assert desk.send(at("2026-12-25T23:00")) == ["chat 1", "mail 1"]
    with pytest.raises(ValueError, match="write days or dates"):
        Mute.model_validate({"dates": ["2026-12-25"], "days": ["mon"]})
