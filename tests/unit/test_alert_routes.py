"""The route tree: whom labels lead to, in which groups, and what is wrong with a tree."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.command import ringback

from alerts.matchers import matcher_of
from alerts.receivers import Receivers
from alerts.route import Route
from alerts.routing import matched, ways
from alerts.rule_file import BadRules, read_receivers

TREE: dict[str, Any] = {
    "receiver": "mail",
    "group_by": ["alertname"],
    "routes": [
        {"matchers": ['severity="page"'], "receiver": "pager", "continue": True, "group_by": ["..."]},
        {"matchers": ['queue=~"sales|support"'], "receiver": "chat", "group_wait": "10s", "routes": [
            {"matchers": ['channel!="voice"'], "group_interval": "1m"},
            {"matchers": ["queue=sales"], "receiver": "sales"},
        ]},
        {"matchers": ['queue!~"a.*"', 'team=""'], "receiver": "chat"},
    ],
}  # fmt: skip
HEAD = """version: 1
receivers:
  - {name: mail, type: webhook, url: http://x}
  - {name: pager, type: webhook, url: http://x}
  - {name: chat, type: webhook, url: http://x}
  - {name: sales, type: webhook, url: http://x}
"""


def names(**labels: str) -> list[str]:
    return [step.receiver for step in matched(Route.model_validate(TREE), labels)]


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ({}, ["chat"]),  # a label that is not there is "": its queue does not begin with a
        ({"queue": "ab"}, ["mail"]),
        ({"queue": "b", "team": "x"}, ["mail"]),
        ({"queue": "ab", "severity": "page"}, ["pager"]),
        ({"queue": "b", "severity": "page"}, ["pager", "chat"]),
        ({"queue": "sales", "channel": "voice"}, ["sales"]),
        ({"queue": "support", "channel": "voice"}, ["chat"]),
        ({"queue": "sales", "channel": "chat", "severity": "page"}, ["pager", "chat"]),
        ({"queue": "presales", "team": "x"}, ["mail"]),  # the whole value must match
    ],
)
def test_the_first_route_that_matches_is_taken_unless_it_goes_on(
    labels: dict[str, str], wanted: list[str]
) -> None:
    assert names(**labels) == wanted


def test_what_a_route_does_not_say_is_as_above_it() -> None:
    (deep,) = matched(Route.model_validate(TREE), {"queue": "sales", "channel": "chat"})
    assert (deep.group_by, deep.group_wait, deep.group_interval) == (("alert",), 10_000, 60_000)
    assert (deep.repeat_interval, deep.path) == (14_400_000, (1, 0))
    (plain,) = matched(Route(receiver="x"), {})
    assert (plain.group_by, plain.group_wait, plain.group_interval) == (("alert", "channel"), 30_000, 300_000)


def test_whom_two_routes_lead_to_hears_it_once() -> None:
    tree = {"receiver": "mail", "routes": [
        {"matchers": ["severity=page"], "continue": True, "group_by": ["queue"]}, {"matchers": ["queue=b"]},
    ]}  # fmt: skip
    told = told_by(tree)
    (way,) = ways(told.receivers, told.route, {"alert": "Low", "labels": {"severity": "page", "queue": "b"}})
    assert (way.receiver.name, way.group_by) == ("mail", ("queue",))


def told_by(tree: dict[str, Any]) -> Receivers:
    hooks = [
        {"name": name, "type": "webhook", "url": "http://x"} for name in ("mail", "pager", "chat", "sales")
    ]
    return Receivers.model_validate({"version": 1, "receivers": hooks, "route": tree})


@pytest.mark.parametrize("name", ["alert", "alertname"])
def test_the_rule_has_a_name_here_and_there(name: str) -> None:
    told = told_by({"receiver": "mail", "routes": [{"matchers": [f'{name}="Low"'], "receiver": "chat"}]})
    found = [ways(told.receivers, told.route, {"alert": alert, "labels": {}}) for alert in ("Low", "High")]
    assert [way.receiver.name for (way,) in found] == ["chat", "mail"]


@pytest.mark.parametrize(
    ("text", "value", "yes", "no"),
    [
        ('a="b"', "b", "b", "bc"),
        ("a = b", "b", "b", ""),
        (r'a="say \"no\"\n\\"', 'say "no"\n\\', 'say "no"\n\\', "say no"),
        (r'a=~"\d+"', r"\d+", "12", "\u0661"),  # digits of other alphabets are none, as there
        ('a=~"(?i)größe"', "(?i)größe", "GRÖSSE".replace("SS", "ß"), "gross"),
        ("a=~b|cd", "b|cd", "cd", "bd"),
        ('a!~"b.*"', "b.*", "ab", "ba"),
        ('a!="b"', "b", "", "b"),
        ('a=""', "", "", "b"),
    ],
)
def test_matchers_are_read_as_alertmanager_does(text: str, value: str, yes: str, no: str) -> None:
    matcher = matcher_of(text)
    assert matcher.value == value
    assert matcher.matches({"a": yes})
    assert not matcher.matches({"a": no})
    assert matcher_of(str(matcher)) == matcher


@pytest.mark.parametrize(
    ("tree", "line", "fault"),
    [
        ("{receiver: male}", 7, "there is no receiver male; there are mail, pager, chat, sales"),
        ("{}", 7, "the first route needs a receiver, who hears of what no other route takes"),
        ("{receiver: mail, matchers: [a=b]}", 7, "the first route takes every alert: write matchers in"),
        ("{receiver: mail, continue: true}", 7, "the first route has no brothers"),
        ("\n  receiver: mail\n  routes:\n    - {matchers: [a=b], receiver: x}", 10, "there is no receiver x"),
        ("\n  receiver: mail\n  routes:\n    - matchers:\n      - a=b\n      - severity page", 12,
         "route.routes.matchers: write a matcher such as 'severity=\"page\"'"),
        ("\n  receiver: mail\n  routes:\n    - matchers: ['a=~\"b(\"']", 10,
         "route.routes.matchers: no regular expression: missing ), unterminated subpattern"),
        ("\n  receiver: mail\n  routes:\n    - matchers: ['a=~\"[[:alpha:]]\"']", 10,
         "route.routes.matchers: no regular expression: Possible nested set"),
        ("\n  receiver: mail\n  routes:\n    - match: {a: b}", 10,
         "route.routes.match: write matchers, such as ['severity=\"page\"']"),
        ("\n  receiver: mail\n  group_bye: [a]", 9, "route.group_bye: unknown word; did you mean group_by?"),
        ("{receiver: mail, group_by: [a, a]}", 7, "route.group_by: write each label once"),
        ("{receiver: mail, group_by: [a, '...']}", 7, "route.group_by: ... is all labels already"),
        ("{receiver: mail, group_wait: 30}", 7, "route.group_wait: write a duration with its unit"),
        ("{receiver: mail, repeat_interval: 0s}", 7, "route.repeat_interval: write a duration of more"),
        ("mail", 7, "route: write names and values"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_tree_is_said(tmp_path: Path, tree: str, line: int, fault: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}route: {tree}\n")
    with pytest.raises(BadRules, match=rf"^\S*r.yaml:{line}: {re.escape(fault)}"):
        read_receivers(path)


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("only: {severity: [page], queue: [a, b]}", "only and route do not go together: write routes: "
         """[{matchers: ['severity="page"', 'queue=~"a|b"'], receiver: h}] in route"""),
        ("group_by: [queue]", "write group_by in route: it says how alerts are grouped"),
        ("repeat_interval: 4h", "write repeat_interval in route: it says how alerts are grouped"),
    ],
)  # fmt: skip
def test_what_routes_say_receivers_do_not(tmp_path: Path, word: str, fault: str) -> None:
    path = tmp_path / "r.yaml"
    hook = f"  - {{name: h, type: webhook, url: http://x, {word}}}\n"
    path.write_text(f"version: 1\nreceivers:\n{hook}route: {{receiver: h}}\n")
    with pytest.raises(BadRules, match=rf":3: {re.escape(fault)}"):
        read_receivers(path)


def test_a_tree_that_goes_round_in_circles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}route: &again\n  receiver: mail\n  routes: [*again]\n")
    with pytest.raises(BadRules, match="nested too deeply"):
        read_receivers(path)


def test_check_shows_the_tree_what_is_doubtful_and_who_hears(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        HEAD
        + """route:
  receiver: mail
  routes:
    - {matchers: ['severity="page"'], receiver: pager, continue: true, group_by: ['...']}
    - {matchers: ['severity="pages"'], receiver: chat, repeat_interval: 90m}
    - {receiver: mail}
    - {matchers: [queue=b], receiver: chat}
"""
    )
    asked = "alerts", "check", "--receivers", str(path), "--route"
    done = ringback(*asked, "severity=page,queue=a")
    assert done.status == 0
    lines = [line.rstrip() for line in done.output.splitlines()]
    first = lines.index(next(line for line in lines if line.startswith("mail: all; by alert, channel;")))
    assert [line for line in lines[first + 1 :] if "──" in line] == [
        '├── pager: severity="page"; each alone; and goes on',
        '├── chat: severity="pages"; repeat_interval 90m',
        "├── mail: all",
        '└── chat: queue="b"',
    ]
    said = " ".join(done.output.split())
    assert "of severity=page,queue=a hears pager: alone" in said
    assert "of severity=page,queue=a hears mail: grouped by alert, channel" in said
    assert "perhaps wrong: no route leads to sales" in said
    assert 'perhaps wrong: a route wants severity="pages", which no rule has; there are page' in said
    assert "the route to mail without matchers takes all, so that 1 after it are never reached" in said
    assert ringback(*asked, "severity").status == 2
