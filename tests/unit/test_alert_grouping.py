"""Many alerts at once: what goes together, what a storm is told of, and that nothing of it is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerts.grouping import tell
from alerts.holding import Holding, Known
from alerts.ledger import Ledger
from alerts.notify.forms import request_of
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.notify.text import details
from alerts.receivers import Mute, Opsgenie, PagerDuty, Receiver, Secret, Webhook
from alerts.reminding import remind
from alerts.routing import Way, own_way
from alerts.silences import Silences
from alerts.watching import body as meta_body

NOW, S, M = 1_767_571_200_000, 1_000, 60_000
HOOK = Webhook(name="hook", type="webhook", url="http://127.0.0.1:9/x", allow_private=True)
GROUPED = HOOK.model_copy(update={"group_by": ("alert", "channel")})


class Outbox:
    """A ledger, a receiver that takes everything, and what it was told."""

    def __init__(self, ledger: Ledger, receiver: Receiver) -> None:
        self.ledger, self.receiver = ledger, receiver
        self.told: list[dict[str, Any]] = []
        self.ways: list[Way] = []  # in place of the receiver's own
        self.holding = Holding(Silences(ledger), {"Low": Known("objective", "service_level", "page")})

    def tell(self, number: int, kind: str, now: int, channel: str = "voice") -> None:
        about = {
            "episode": f"e{number}", "status": kind, "alert": "Low", "kpi": "service_level",
            "labels": {"channel": channel, "queue": f"q{number}", "severity": "page"}, "annotations": {},
            "objective": "< 80.0 %", "value": "40.0 %", "n": 50, "window_ms": 900_000,
            "opened_at": "2026-01-05T00:00:00Z", "at": "2026-01-05T00:02:00Z", "explain": "ringback explain",
        }  # fmt: skip
        with self.ledger.transaction():
            for way in self.ways or [own_way(self.receiver)]:
                tell(self.ledger, way, f"e{number}", kind, about, now)

    def send(self, now: int) -> list[str]:
        """What is told now, in words."""

        def post(request: Request) -> Delivery:
            self.told.append(orjson.loads(request.body))
            return Delivery("sent")

        before = len(self.told)
        send_due(self.ledger, {"hook": self.receiver}, lambda: now, post, self.holding)
        return [f"{each['status']} {said(each)}" for each in self.told[before:]]


def said(told: dict[str, Any]) -> str:
    return str(told["annotations"].get("summary") or told["labels"]["queue"])


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger(tmp_path / "a.sqlite")
    yield found
    found.close()


def test_a_storm_is_told_of_in_one_message(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK)
    for number in range(25):
        outbox.tell(number, "firing", NOW)
    assert sorted(outbox.send(NOW)) == sorted(f"firing q{number}" for number in range(10))
    (storm,) = outbox.send(NOW + 30 * S)
    assert storm.startswith("firing 15 more alerts at once: Low voice q10 40.0 %; Low voice q11 40.0 %")
    assert outbox.told[-1]["alert"] == "StormOfAlerts"
    for number in range(25, 30):
        outbox.tell(number, "firing", NOW + 2 * M)
    assert outbox.send(NOW + 3 * M) == []
    for number in range(29):
        outbox.tell(number, "resolved", NOW + 9 * M)
    assert sorted(outbox.send(NOW + 9 * M)) == sorted(f"resolved q{number}" for number in range(10))
    outbox.tell(29, "resolved", NOW + 10 * M)
    assert outbox.send(NOW + 10 * M) == ["resolved a storm of alerts is over"]
    assert outbox.told[-1]["episode"] == outbox.told[10]["episode"]
    outbox.tell(40, "firing", NOW + 20 * M)
    assert outbox.send(NOW + 20 * M) == ["firing q40"]


def test_ten_in_five_minutes_are_no_storm_nor_are_many_in_an_hour(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK)
    for number in range(60):
        outbox.tell(number, "firing", NOW + number * M)
        assert outbox.send(NOW + number * M) == [f"firing q{number}"]


def test_a_storm_that_is_over_before_it_was_told_is_not_told(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK.model_copy(update={"storm": 1}))
    for kind in ("firing", "resolved"):
        for number in range(3):
            outbox.tell(number, kind, NOW)
    assert outbox.send(NOW + M) == []
    assert ledger.counts() == {"dropped": 2, "over": 2}


def test_a_group_is_one_message(ledger: Ledger) -> None:
    outbox = Outbox(ledger, GROUPED)
    for number in range(3):
        outbox.tell(number, "firing", NOW + number * S)
    outbox.tell(7, "firing", NOW, channel="chat")
    assert outbox.send(NOW + 29 * S) == []
    assert outbox.send(NOW + 30 * S) == [
        "firing 3 alerts: Low voice q0 40.0 %; Low voice q1 40.0 %; Low voice q2 40.0 %",
        "firing q7",
    ]
    assert outbox.told[0]["labels"] == {"channel": "voice", "severity": "page"}
    assert [each["labels"]["queue"] for each in outbox.told[0]["alerts"]] == ["q0", "q1", "q2"]
    assert outbox.told[0]["value"] == ""  # of its own it has none, and people read that of each
    lines = [
        f"FIRING Low voice/q{n}: 40.0 % over 15 min, n=50, objective < 80.0 %, since 2026-01-05T00:00:00Z"
        for n in range(3)
    ]
    assert details(outbox.told[0]) == [*lines, "explain: ringback alerts list"]
    outbox.tell(0, "resolved", NOW + M)
    outbox.tell(3, "firing", NOW + 2 * M)
    assert outbox.send(NOW + 5 * M) == []  # the next of a group comes no sooner than after five minutes
    assert outbox.send(NOW + 6 * M) == ["firing 2 alerts: Low voice q0 resolved; Low voice q3 40.0 %"]
    for number in (1, 2, 3):
        outbox.tell(number, "resolved", NOW + 20 * M)
    assert outbox.send(NOW + 21 * M) == [
        "resolved 3 alerts: Low voice q1 resolved; Low voice q2 resolved; Low voice q3 resolved"
    ]


def test_what_is_over_before_its_group_was_told_is_not_told(ledger: Ledger) -> None:
    outbox = Outbox(ledger, GROUPED)
    outbox.tell(0, "firing", NOW)
    outbox.tell(1, "firing", NOW)
    outbox.tell(0, "resolved", NOW + 10 * S)
    assert outbox.send(NOW + M) == ["firing q1"]


def test_who_is_silenced_is_told_alone_when_the_silence_ends(ledger: Ledger) -> None:
    outbox = Outbox(ledger, GROUPED)
    Silences(ledger).add({"queue": "q1"}, NOW, NOW + 10 * M, "ann", "works", NOW)
    for number in range(3):
        outbox.tell(number, "firing", NOW)
    assert outbox.send(NOW + M) == ["firing 2 alerts: Low voice q0 40.0 %; Low voice q2 40.0 %"]
    assert [line for minute in range(2, 12) for line in outbox.send(NOW + minute * M)] == ["firing q1"]


def test_a_group_that_is_muted_grows_until_it_may_be_told(ledger: Ledger) -> None:
    mute = Mute.model_validate({"from": "00:00", "to": "00:20"})
    outbox = Outbox(ledger, GROUPED.model_copy(update={"mute": (mute,)}))
    outbox.tell(0, "firing", NOW)
    outbox.tell(1, "firing", NOW)
    assert outbox.send(NOW + M) == []
    outbox.tell(2, "firing", NOW + 2 * M)
    outbox.tell(1, "resolved", NOW + 3 * M)
    found = [line for minute in range(2, 25) for line in outbox.send(NOW + minute * M)]
    assert found == ["firing 2 alerts: Low voice q0 40.0 %; Low voice q2 40.0 %"]


def test_a_group_that_is_refused_goes_to_the_fallback_each_time_and_its_ends(ledger: Ledger) -> None:
    receiver = GROUPED.model_copy(update={"fallback": "mail"})
    mail = HOOK.model_copy(update={"name": "mail", "url": "http://127.0.0.1:9/mail"})
    outbox, told = Outbox(ledger, receiver), list[str]()
    outbox.ways = [Way(mail), own_way(receiver)]

    def post(request: Request) -> Delivery:
        if not request.url.endswith("mail"):
            return Delivery("refused", "404")
        body = orjson.loads(request.body)
        told.append(f"{body['status']} {said(body)}")
        return Delivery("sent")

    for number, kind, now in (
        (0, "firing", NOW), (1, "firing", NOW), (2, "firing", NOW + 20 * M), (0, "resolved", NOW + 22 * M),
    ):  # fmt: skip
        outbox.ways = [own_way(receiver)] if kind == "firing" else [Way(mail), own_way(receiver)]
        outbox.tell(number, kind, now)
        if number:
            send_due(ledger, {"hook": receiver, "mail": mail}, lambda at=now: at + M, post)  # type: ignore[misc]
    send_due(ledger, {"hook": receiver, "mail": mail}, lambda: NOW + 40 * M, post)
    assert told == ["firing 2 alerts: Low voice q0 40.0 %; Low voice q1 40.0 %", "firing q2", "resolved q0"]


def test_a_storm_ends_for_the_fallback_too(ledger: Ledger) -> None:
    receiver = HOOK.model_copy(update={"fallback": "mail", "storm": 1})
    mail = HOOK.model_copy(update={"name": "mail", "url": "http://127.0.0.1:9/mail"})
    outbox, told = Outbox(ledger, receiver), list[str]()

    def post(request: Request) -> Delivery:
        if not request.url.endswith("mail"):
            return Delivery("refused", "404")
        told.append(orjson.loads(request.body)["status"])
        return Delivery("sent")

    for number in range(4):
        outbox.tell(number, "firing", NOW)
    send_due(ledger, {"hook": receiver, "mail": mail}, lambda: NOW + M, post)
    assert told == ["firing", "firing"]  # the first, and the storm
    outbox.ways = [own_way(receiver), own_way(mail)]
    for number, wanted in ((0, 3), (1, 3), (2, 3), (3, 4)):
        outbox.tell(number, "resolved", NOW + 9 * M)
        send_due(ledger, {"hook": receiver, "mail": mail}, lambda: NOW + 10 * M, post)
        assert len(told) == wanted
    assert told[2:] == ["resolved", "resolved"]


def begun(ledger: Ledger, number: int, now: int) -> None:
    """The evaluator's own note of an episode."""
    ledger.record("Low", (("queue", f"q{number}"),), "firing", now, now, {}, now)
    ledger.db.execute("UPDATE transition SET episode = ? WHERE at = ?", (f"e{number}", now))


def test_what_still_fires_is_told_of_again(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK.model_copy(update={"repeat_interval": 60 * M}))
    for number in (0, 1):
        begun(ledger, number, NOW + number)
        outbox.tell(number, "firing", NOW)
    Silences(ledger).add({"queue": "q1"}, NOW + 10 * M, NOW + 100 * M, "ann", "works", NOW)
    told: dict[int, list[str]] = {}
    for minute in range(0, 190, 5):
        remind(ledger, [outbox.receiver], NOW + minute * M)
        if minute == 150:
            ledger.record("Low", (("queue", "q0"),), "resolved", NOW + 150 * M, NOW, {}, NOW)
            ledger.db.execute("UPDATE transition SET episode = 'e0' WHERE kind = 'resolved'")
            outbox.tell(0, "resolved", NOW + 150 * M)
        if found := outbox.send(NOW + minute * M):
            told[minute] = sorted(found)
    again = [f"firing still firing: Low voice/q{number}: 40.0 % over 15 min, n=50" for number in (0, 1)]
    assert told == {0: ["firing q0", "firing q1"], 60: again[:1], 100: again[1:], 120: again[:1],
                    150: ["resolved q0"], 160: again[1:]}  # fmt: skip
    assert [each["labels"]["queue"] for each in outbox.told[2:]] == ["q0", "q1", "q0", "q0", "q1"]


def test_a_reminder_that_waits_is_dropped_when_it_is_over(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK.model_copy(update={"repeat_interval": 60 * M}))
    begun(ledger, 0, NOW)
    outbox.tell(0, "firing", NOW)
    assert outbox.send(NOW) == ["firing q0"]
    assert remind(ledger, [outbox.receiver], NOW + 59 * M) == 0
    assert remind(ledger, [outbox.receiver], NOW + 60 * M) == 1
    assert remind(ledger, [outbox.receiver], NOW + 61 * M) == 0
    outbox.tell(0, "resolved", NOW + 62 * M)
    assert outbox.send(NOW + 62 * M) == ["resolved q0"]


@pytest.mark.parametrize("status", ["meta", "digest", "firing"])
def test_what_is_no_end_opens_an_incident(
    status: str, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """A meta-alert to PagerDuty was sent as the end of an incident that nobody had opened."""
    monkeypatch.setenv("KEY", "k")
    ledger.enqueue("e", status, "p", meta_body("lag", NOW) | {"status": status}, NOW)
    outgoing = ledger.claim(NOW)
    assert outgoing is not None
    pager = PagerDuty(name="p", type="pagerduty", routing_key=Secret(env="KEY"))
    assert orjson.loads(request_of(pager, outgoing, 0).body)["event_action"] == "trigger"
    genie = Opsgenie(name="p", type="opsgenie", api_key=Secret(env="KEY"))
    assert request_of(genie, outgoing, 0).url.endswith("/v2/alerts")


def test_who_was_told_in_a_group_is_told_its_end_whatever_the_file_says_by_then(ledger: Ledger) -> None:
    """Without group_by, or with no route to the receiver any more, the end was never told."""
    outbox = Outbox(ledger, GROUPED)
    for number in range(3):
        outbox.tell(number, "firing", NOW)
    assert len(outbox.send(NOW + M)) == 1
    for number, way in enumerate((Way(HOOK), Way(HOOK, ("queue",), 0, 0, None, "/4"), own_way(GROUPED))):
        outbox.ways = [way]
        outbox.tell(number, "resolved", NOW + (10 + 10 * number) * M)
        assert outbox.send(NOW + (19 + 10 * number) * M) == [f"resolved q{number}"]


def test_who_was_told_alone_is_told_its_end_alone(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK)
    outbox.tell(0, "firing", NOW)
    assert outbox.send(NOW) == ["firing q0"]
    outbox.ways = [Way(HOOK, ("queue",), 30 * S, 5 * M, None, "/4")]
    outbox.tell(0, "resolved", NOW + M)
    assert outbox.send(NOW + M) == ["resolved q0"]


def test_the_next_of_a_group_waits_for_the_one_before_it(ledger: Ledger) -> None:
    """A message with the end went out while that with the beginning was still tried."""
    outbox = Outbox(ledger, GROUPED)
    outbox.tell(0, "firing", NOW)
    for minute, wait_s in ((1, 0), (3, 1_200)):
        again = Delivery("again", "503", wait_s)
        send_due(ledger, {"hook": GROUPED}, lambda at=minute: NOW + at * M, lambda _, to=again: to)  # type: ignore[misc]
        outbox.tell(0, "resolved", NOW + 2 * M)
    assert ledger.db.execute("SELECT max(due_at) FROM outbox WHERE tries = 0").fetchone()[0] < NOW + 10 * M
    assert outbox.send(NOW + 10 * M) == []
    assert outbox.send(NOW + 24 * M) == ["firing q0", "resolved q0"]


def test_the_end_of_what_a_group_was_given_up_with_is_not_told(ledger: Ledger) -> None:
    outbox = Outbox(ledger, GROUPED)
    outbox.tell(0, "firing", NOW)
    send_due(ledger, {"hook": GROUPED}, lambda: NOW + M, lambda _: Delivery("refused", "404"))
    outbox.tell(0, "resolved", NOW + 2 * M)
    assert outbox.send(NOW + 22 * M) == []


def test_two_routes_to_a_receiver_are_two_groups(ledger: Ledger) -> None:
    outbox = Outbox(ledger, HOOK)
    for number, route in enumerate(("/0", "/1", "/0")):
        outbox.ways = [Way(HOOK, ("alert",), 30 * S, 5 * M, None, route)]
        outbox.tell(number, "firing", NOW)
    assert outbox.send(NOW + M) == ["firing 2 alerts: Low voice q0 40.0 %; Low voice q2 40.0 %", "firing q1"]


def test_what_was_told_in_a_group_is_told_of_again_in_it(ledger: Ledger) -> None:
    outbox = Outbox(ledger, GROUPED.model_copy(update={"repeat_interval": 60 * M}))
    for number in (0, 1, 2):
        begun(ledger, number, NOW + number)
        outbox.tell(number, "firing", NOW)
    told: dict[int, list[str]] = {}
    for minute in range(0, 200, 5):
        if minute == 65:  # it is over before its reminder is sent, and that goes with it
            ledger.record("Low", (("queue", "q2"),), "resolved", NOW + 65 * M, NOW, {}, NOW)
            ledger.db.execute("UPDATE transition SET episode = 'e2' WHERE kind = 'resolved'")
        remind(ledger, [outbox.receiver], NOW + minute * M)
        if minute == 65:
            outbox.tell(2, "resolved", NOW + 65 * M)
        if found := outbox.send(NOW + minute * M):
            told[minute] = found
    three = "firing 3 alerts: Low voice q0 40.0 %; Low voice q1 40.0 %; Low voice q2 40.0 %"
    two = "firing 2 alerts: Low voice q0 40.0 %; Low voice q1 40.0 %"
    over = "firing 3 alerts: Low voice q0 40.0 %; Low voice q1 40.0 %; Low voice q2 resolved"
    assert told == {5: [three], 70: [over], 135: [two]}
