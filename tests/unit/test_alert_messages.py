"""What people read: for every type of rule what is off, where, how far, since when, on how many contacts."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from support.alert_kills import BASE, HOOK, M, evaluate, evaluator, group

from alerts.evaluate import Evaluator
from alerts.ledger import Ledger
from alerts.message import digest, message
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.notify.text import details, title
from alerts.receivers import Webhook
from alerts.rule_file import read_rules
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.ladder import Look
from kpis.dips.machine import Transition
from kpis.rules import Rules
from reports.minutes import MinuteSums

KPIS = every_kpi(Rules())
SALES = (("channel", "voice"), ("queue", "sales"))


def told(kpi: str, when: str, look: Look) -> tuple[str, str]:
    """Title and first line of the message about a queue, an hour after midnight."""
    text = f"version: 1\ngroups: [{{name: g, rules: [{{alert: A, kpi: {kpi}, when: {{{when}}}}}]}}]"
    file = read_rules(text, "rules.yaml", KPIS)
    changed = Transition(BASE + 64 * M, "firing", BASE + 60 * M)
    body = message(file.groups[0], file.groups[0].rules[0], KPIS[kpi], SALES, changed, look, "e1")
    assert f"explain: ringback explain {kpi} " in details(body)[1]
    assert details(body)[2] == "episode: ringback alerts explain e1"
    return title(body), details(body)[0].removesuffix(
        "; channel voice, queue sales; since 2026-01-05T01:00:00Z"
    )


QUARTER = 15 * M


@pytest.mark.parametrize(
    ("kpi", "when", "look", "head", "line"),
    [
        ("service_level", 'type: objective, op: "<", target: 0.8', Look(150, QUARTER, 72, 150, True),
         "A voice/sales: 48.0 % over 15 min, n=150",
         "service_level 48.0 % over 15 min, objective at least 80.0 %, 150 contacts"),
        ("abandonment_rate", 'type: objective, op: ">", target: 0.08', Look(1, QUARTER, 1, 1, True),
         "A voice/sales: 100.0 % over 15 min, n=1",
         "abandonment_rate 100.0 % over 15 min, objective at most 8.0 %, 1 contact"),
        ("asa", 'type: log_mean, op: ">", target: 30s', Look(9, QUARTER, 810_000, 9, True),
         "A voice/sales: 90.0 s over 15 min, n=9",
         "asa 90.0 s over 15 min, objective at most 30.0 s, 9 contacts"),
        ("waiting_now", 'type: threshold, op: ">", limit: 5', Look(9, M, 9, 9, True),
         "A voice/sales: 9 over 1 min, n=9",
         "waiting_now 9 over 1 min, objective at most 5, 9 contacts (provisional)"),
        ("offered", "type: absence", Look(0, 37 * M, 0, 25, True),
         "A voice/sales: 0 over 37 min, n=0",
         "offered 0 over 37 min, objective some 25 as in the same hours of earlier weeks, 0 contacts"),
        ("offered", 'type: seasonal, op: ">"', Look(0, 30 * M, 1330, 150, True),
         "A voice/sales: 1,330 over 30 min, n=1330",
         "offered 1,330 over 30 min, objective some 150 as in the same hours of earlier weeks, "
         "1,330 contacts"),
        ("fcr_net", 'type: matured, op: "<", targets: {1: 0.9}', Look(9, 1_440 * M, 60, 100, True),
         "A voice/sales: 60.0 % over 1440 min, n=100",
         "fcr_net 60.0 % over 1440 min, objective at least 90.0 % in 1 d, 100 contacts"),
    ],
)  # fmt: skip
def test_what_is_off_where_how_far_and_on_how_many(
    kpi: str, when: str, look: Look, head: str, line: str
) -> None:
    assert told(kpi, when, look) == (f"[FIRING] {head}", line)


def through_a_dip(
    ledger: Ledger, receivers: list[Webhook], refusing: str = ""
) -> list[tuple[str, dict[str, Any]]]:
    """Two hours with half an hour of bad service, told as it goes: to whom, and what."""
    told: list[tuple[str, dict[str, Any]]] = []
    minutes = [
        MinuteSums(BASE + number * M, "voice", "A",
                   {"answered_in_target": 1 if 30 <= number < 60 else 5, "service_level_n": 5})
        for number in range(120)
    ]  # fmt: skip

    def post(request: Request) -> Delivery:
        name = request.headers["Idempotency-Key"].rpartition("-")[2]
        if name == refusing:
            return Delivery("refused", "status 410")
        told.append((name, orjson.loads(request.body)))
        return Delivery("sent")

    own, known = evaluator(ledger), {each.name: each for each in receivers}
    own.receivers = receivers
    for end in range(10, 121, 10):
        evaluate(own, group(), minutes, end - 10, end)
        send_due(ledger, known, lambda now=end: BASE + now * M, post)  # type: ignore[misc]
    return told


def test_an_end_is_told_with_the_figures_of_its_beginning(tmp_path: Path) -> None:
    """The windows hold the dip still when it is over: what they read then is neither old nor new."""
    (_, firing), (_, over) = through_a_dip(Ledger(tmp_path / "a.sqlite"), [HOOK])
    assert (firing["status"], over["status"]) == ("firing", "resolved")
    for name in ("value", "n", "window_ms", "opened_at", "objective"):
        assert firing[name] == over[name]
    lasted = details(over)[1].removeprefix(f"over at {over['at']}, after ")
    assert lasted == "39 min; the figures are those it fired with"
    assert details(over | {"status": "expired"})[1].startswith("closed, as nobody came for four hours at ")
    assert details(over | {"reason": "rule_removed"})[1].startswith("closed, as its rule is gone at ")
    several = details(digest([over]))
    assert several[0].startswith("RESOLVED A: ")
    assert "service_level" not in "".join(several[1:])


def test_that_nobody_came_is_told_as_that(tmp_path: Path) -> None:
    """Half an hour of good service, an hour without anybody, and good service again."""
    told: list[dict[str, Any]] = []

    def post(request: Request) -> Delivery:
        told.append(orjson.loads(request.body))
        return Delivery("sent")

    ledger = Ledger(tmp_path / "a.sqlite")
    own, rules = evaluator(ledger, "hook"), group(no_data="alert")
    rules = rules.model_copy(update={"rules": (rules.rules[0].model_copy(update={"annotations": {}}),)})
    good = {"answered_in_target": 5, "service_level_n": 5}
    minutes = [MinuteSums(BASE + n * M, "voice", "A", good) for n in (*range(30), *range(90, 120))]
    for end in range(10, 121, 10):
        evaluate(own, rules, minutes, end - 10, end)
        send_due(ledger, {"hook": HOOK}, lambda now=end: BASE + now * M, post)  # type: ignore[misc]
    firing, over = told
    assert (title(firing), firing["n"]) == ("[FIRING] Low A: no data, n=0", 0)
    assert details(firing)[1] == "nobody came, or too few to judge by: the rule says no_data: alert"
    assert title(over) == "[RESOLVED] Low A: no data, n=0"
    assert details(over)[1].startswith("over at 2026-01-05T01:45:00Z, after 60 min")
    fine = details(over | {"reason": "no_data"})[1]
    assert fine.startswith("closed, as nobody came (no_data: ok) at ")


def test_an_edited_rule_goes_on_with_its_episode_and_the_end_says_so(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    def post(request: Request) -> Delivery:
        told.append(orjson.loads(request.body))
        return Delivery("sent")

    minutes = [
        MinuteSums(BASE + number * M, "voice", queue,
                   {"answered_in_target": 1 if 30 <= number < 60 else 5, "service_level_n": 5})
        for number in range(120) for queue in ("A", "B")
    ]  # fmt: skip
    own = evaluator(Ledger(tmp_path / "a.sqlite"), "hook")
    for end in range(10, 121, 10):
        same = {"keep_firing_for": "16m"} if end > 50 else {}
        own = Evaluator(own.rules, own.ledger, own.receivers)  # started anew, with the edited file
        evaluate(own, group(**same), minutes, end - 10, end)
        send_due(own.ledger, {"hook": HOOK}, lambda now=end: BASE + now * M, post)  # type: ignore[misc]
    assert sorted((each["status"], each["labels"]["queue"]) for each in told) == [
        ("firing", "A"), ("firing", "B"), ("resolved", "A"), ("resolved", "B"),
    ]  # fmt: skip
    assert len({each["episode"] for each in told}) == 2
    for over in told[2:]:
        assert details(over)[1].endswith("; the rule was edited meanwhile")
        assert over["value"] == told[0]["value"]


def test_an_end_goes_to_whoever_was_told_in_the_stead_of_another(tmp_path: Path) -> None:
    """The fallback wants no pages, got this one since nobody else could, and has an incident to close."""
    first = HOOK.model_copy(update={"name": "first", "fallback": "other"})
    other = HOOK.model_copy(update={"name": "other", "only": {"severity": ("ticket",)}})
    told = through_a_dip(Ledger(tmp_path / "a.sqlite"), [first, other], refusing="first")
    assert [(name, body["status"]) for name, body in told] == [("other", "firing"), ("other", "resolved")]
