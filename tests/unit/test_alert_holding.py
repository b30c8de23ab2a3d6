"""Who is told, when, and by which evaluator: leases, silences, mutes, inhibition, fallbacks, heartbeats."""

import random
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerts.holding import Holding, Known, inhibits, is_muted
from alerts.label_sets import LabelSet
from alerts.lease import TTL_MS, Lease
from alerts.ledger import Ledger
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.receivers import Mute, Receiver, Receivers, Webhook
from alerts.rule import RuleFile
from alerts.service import send_until_stopped
from alerts.silences import Silences
from alerts.watching import Watchman
from kpis.dips.machine import Standing

NOW, M = 1_767_571_200_000, 60_000  # Monday 2026-01-05T00:00Z
SALES: LabelSet = (("channel", "voice"), ("queue", "sales"))
RULES = {
    "Low": Known("objective", "service_level", "page"),
    "LowTicket": Known("objective", "service_level", "ticket"),
    "Silent": Known("absence", "offered", "page"),
}


def hook(**changes: Any) -> Webhook:
    given = {"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/", "allow_private": True}
    return Webhook.model_validate(given | changes)


def body(alert: str = "Low", status: str = "firing", **labels: str) -> dict[str, object]:
    own = {"channel": "voice", "queue": "sales", "severity": "page"} | labels
    return {"alert": alert, "status": status, "labels": own, "annotations": {}}


class Told:
    """What was posted."""

    def __init__(self, outcome: str = "sent") -> None:
        self.keys: list[str] = []
        self.outcome = outcome

    def __call__(self, request: Request) -> Delivery:
        self.keys.append(request.headers["Idempotency-Key"])
        return Delivery(self.outcome, "" if self.outcome == "sent" else "status 500")


def send(ledger: Ledger, now: int, told: Told, *receivers: Receiver, ours: bool = True) -> int:
    known = {each.name: each for each in receivers or (hook(),)}
    holding = Holding(Silences(ledger), RULES)
    return send_due(ledger, known, lambda: now, told, holding, lambda: ours)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "a.sqlite")


def test_what_still_fires_when_a_silence_ends_is_told_then(ledger: Ledger) -> None:
    Silences(ledger).add({"queue": "sales"}, NOW, NOW + 120 * M, "me", "work on the line", NOW)
    ledger.enqueue("e1", "firing", "hook", body(), NOW)
    ledger.enqueue("e2", "firing", "hook", body(queue="other"), NOW)
    told = Told()
    for minute in range(119):
        send(ledger, NOW + minute * M, told)
    assert told.keys == ["e2-firing-hook"]
    send(ledger, NOW + 121 * M, told)
    assert told.keys == ["e2-firing-hook", "e1-firing-hook"]


def test_what_is_over_before_a_silence_ends_is_never_told(ledger: Ledger) -> None:
    silence = Silences(ledger).add({"alert": "Low"}, NOW, NOW + 120 * M, "me", "x", NOW)
    ledger.enqueue("e1", "firing", "hook", body(), NOW)
    told = Told()
    send(ledger, NOW, told)
    ledger.enqueue("e1", "resolved", "hook", body(status="resolved"), NOW + M)
    assert Silences(ledger).expire(silence.id, NOW + 2 * M)
    send(ledger, NOW + 10 * M, told)
    assert told.keys == []


def test_a_silence_of_everything_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="say which alerts"):
        Silences(ledger).add({}, NOW, NOW + M, "me", "x", NOW)


@pytest.mark.parametrize(
    ("mute", "hour", "muted"),
    [
        ({"days": ["mon"], "from": "00:00", "to": "08:00"}, 7, True),
        ({"days": ["mon"], "from": "00:00", "to": "08:00"}, 8, False),
        ({"days": ["sun"]}, 7, False),
        ({"days": ["mon"], "from": "08:00", "to": "09:00", "zone": "Europe/Rome"}, 7, True),
    ],
)
def test_mute_intervals_are_local(mute: dict[str, Any], hour: int, muted: bool) -> None:
    assert is_muted(Mute.model_validate(mute), NOW + hour * 60 * M) is muted


def test_a_muted_receiver_is_told_afterwards(ledger: Ledger) -> None:
    ledger.enqueue("e1", "firing", "hook", body(), NOW)
    told, muted = Told(), hook(mute=[{"from": "00:00", "to": "00:30"}])
    for minute in range(29):
        send(ledger, NOW + minute * M, told, muted)
    assert told.keys == []
    send(ledger, NOW + 31 * M, told, muted)
    assert told.keys == ["e1-firing-hook"]


def test_a_silent_channel_says_it_for_its_queues_and_a_page_for_its_ticket(ledger: Ledger) -> None:
    ledger.enqueue("e1", "firing", "hook", body(), NOW)
    ledger.enqueue("e2", "firing", "hook", body(channel="chat"), NOW)
    ledger.enqueue("e3", "firing", "hook", body("LowTicket", severity="ticket"), NOW)
    told = Told()
    ledger.stand("Silent", (("channel", "voice"),), Standing("firing", NOW))
    send(ledger, NOW, told)
    assert told.keys == ["e2-firing-hook"]
    ledger.stand("Silent", (("channel", "voice"),), Standing())
    ledger.stand("Low", SALES, Standing("firing", NOW))
    send(ledger, NOW + 2 * M, told)
    assert told.keys == ["e2-firing-hook", "e1-firing-hook"]
    ledger.stand("Low", SALES, Standing())
    send(ledger, NOW + 4 * M, told)
    assert told.keys[-1] == "e3-firing-hook"


def test_a_receiver_that_cannot_be_reached_has_a_fallback(ledger: Ledger) -> None:
    ledger.enqueue("e1", "firing", "hook", body(), NOW)
    failing, first, other = Told("again"), hook(fallback="other"), hook(name="other")
    for minute in range(3):
        send(ledger, NOW + minute * 6 * M, failing, first, other)
    told = Told()
    send(ledger, NOW + 20 * M, told, first, other)
    assert sorted(told.keys) == ["e1-firing-hook", "e1-firing-other"]


def test_receivers_are_told_what_they_want() -> None:
    pager = hook(only={"severity": ["page"]})
    assert pager.wants({"severity": "page"})
    assert not pager.wants({"severity": "ticket"})
    assert not pager.wants({})


def test_a_lease_is_taken_over_when_it_has_run_out_and_its_token_fences(tmp_path: Path) -> None:
    first, second = (Lease(Ledger(tmp_path / "a.sqlite"), owner) for owner in ("first", "second"))
    assert first.take(NOW)
    assert not second.take(NOW + TTL_MS - 1)
    assert first.take(NOW + 5_000)
    assert second.take(NOW + 5_000 + TTL_MS)
    assert not first.prolong(NOW + 5_000 + TTL_MS)
    assert not first.held(NOW + 5_000 + TTL_MS)  # woken: it finds out before it decides
    assert not first.take(NOW + 5_000 + TTL_MS)
    second.give_back()
    assert first.take(NOW + 6_000 + TTL_MS)
    assert not second.held(NOW + 6_000 + TTL_MS)


def test_of_two_that_stop_and_wake_at_random_one_speaks_at_any_time(tmp_path: Path) -> None:
    """Each step one of two is awake; who decides must hold the lease, and both never do within its time."""
    rng, told, now = random.Random(15), Told(), NOW
    ledgers = [Ledger(tmp_path / "a.sqlite") for _ in range(2)]
    leases = [Lease(ledger, f"n{number}") for number, ledger in enumerate(ledgers)]
    spoke: list[int] = []
    for number in range(300):
        now += rng.choice((500, 1_000, 20_000))
        awake = rng.randrange(2)
        if rng.random() < 0.9:
            leases[awake].take(now)
        ledgers[0].enqueue(f"e{number}", "firing", "hook", body(), now)
        held = [lease.held(now) for lease in leases]
        assert sum(held) <= 1
        if send(ledgers[awake], now, told, ours=held[awake]):
            spoke.append(awake)
    assert {*spoke} == {0, 1}
    assert len(told.keys) == len({*told.keys}) > 250


FILE = RuleFile.model_validate({
    "version": 1,
    "groups": [{"name": "g", "rules": [{"alert": "Low", "kpi": "service_level",
                                        "when": {"type": "objective", "op": "<", "target": 0.8}}]}],
})  # fmt: skip


def test_the_heartbeat_stops_when_alerting_does_and_says_so_elsewhere(ledger: Ledger) -> None:
    told = Receivers.model_validate(
        {"version": 1, "meta": "hook", "receivers": [hook().model_dump(by_alias=True, exclude_defaults=True)],
         "heartbeat": hook(name="beat").model_dump(by_alias=True, exclude_defaults=True)}
    )  # fmt: skip
    watchman, beats = Watchman(ledger, FILE, told, lambda _: M), Told()
    ledger.advance("g", NOW)
    assert watchman.look(NOW + 2 * M, beats) == {}
    assert len(beats.keys) == 1
    found = watchman.look(NOW + 10 * M, beats)
    assert [*found] == ["lag-g"]
    watchman.look(NOW + 11 * M, beats)  # once said, not said again
    assert len(beats.keys) == 1
    metas = Told()
    assert send(ledger, NOW + 11 * M, metas) == 1
    ledger.advance("g", NOW + 11 * M)
    ledger.enqueue("e1", "firing", "hook", body(), NOW + 8 * M)
    send(ledger, NOW + 8 * M, Told("again"))
    assert "unsent" in watchman.look(NOW + 12 * M, beats)
    assert orjson.loads(orjson.dumps(found))["lag-g"].startswith("group g was last evaluated 9 minutes ago")


def test_an_evaluator_that_never_came_to_evaluate_has_no_heartbeat(ledger: Ledger) -> None:
    """As with a new ledger and a ClickHouse that does not answer: it beat for ever."""
    beat = hook(name="beat").model_dump(by_alias=True, exclude_defaults=True)
    watchman = Watchman(
        ledger, FILE, Receivers.model_validate({"version": 1, "heartbeat": beat}), lambda _: M
    )
    beats = Told()
    found = [[*watchman.look(NOW + minute * M, beats)] for minute in range(12)]
    assert found == [[]] * 8 + [["lag-g"]] * 4
    assert len(beats.keys) == 8
    ledger.advance("g", NOW + 12 * M)
    assert watchman.look(NOW + 12 * M, beats) == {}


def test_a_silence_that_ends_while_it_holds_something_back_is_told_of_before(ledger: Ledger) -> None:
    told = Receivers.model_validate(
        {"version": 1, "meta": "hook", "receivers": [hook().model_dump(by_alias=True, exclude_defaults=True)]}
    )
    posted, silences = Told(), Silences(ledger)
    for queue, minutes in (("sales", 60), ("support", 60), ("sales", 120)):
        silences.add({"queue": queue, "severity": "page"}, NOW, NOW + minutes * M, "me", "", NOW)
    file = FILE.groups[0].model_copy(update={"labels": {"severity": "page"}})
    watchman = Watchman(ledger, FILE.model_copy(update={"groups": (file,)}), told, lambda _: M)
    ledger.stand("Low", SALES, Standing("firing", NOW))
    for minute in range(50):
        ledger.advance("g", NOW + minute * M)
        watchman.look(NOW + minute * M, posted)
        send(ledger, NOW + minute * M, posted)
        assert len(posted.keys) == (minute >= 45)
    (row,) = ledger.db.execute("SELECT body FROM outbox").fetchall()
    assert "of queue=sales severity=page ends at 2026-01-05T01:00:00Z; Low still fires" in row[0]


@pytest.mark.parametrize(("fault", "within"), [("killed", 3), ("receiver blocked", 6), ("hangs", 10)])
def test_a_service_outside_alarms_within_ten_minutes(ledger: Ledger, fault: str, within: int) -> None:
    """It expects a beat a minute and waits for two more; the fault comes after a quarter of an hour."""
    told = Receivers.model_validate(
        {"version": 1, "receivers": [hook().model_dump(by_alias=True, exclude_defaults=True)],
         "heartbeat": hook(name="beat").model_dump(by_alias=True, exclude_defaults=True)}
    )  # fmt: skip
    watchman, beats, alarmed = Watchman(ledger, FILE, told, lambda _: M), list[int](), 0
    for minute in range(60):
        now, broken = NOW + minute * M, minute > 15
        if not (broken and fault == "hangs"):
            ledger.advance("g", now - M)
        ledger.enqueue(f"e{minute}", "firing", "hook", body(), now)
        send(ledger, now, Told("again" if broken and fault == "receiver blocked" else "sent"))
        beat = Told()
        if not (broken and fault == "killed"):
            watchman.look(now, beat)
        beats += [minute] * len(beat.keys)
        if minute - beats[-1] == 3:
            alarmed = minute
            break
    assert beats[:16] == [*range(16)]
    assert 0 < alarmed - 15 <= within


def test_what_was_given_up_is_said_once_and_an_hour_later_the_heart_beats_again(ledger: Ledger) -> None:
    told = Receivers.model_validate(
        {"version": 1, "meta": "hook", "receivers": [hook().model_dump(by_alias=True, exclude_defaults=True)],
         "heartbeat": hook(name="beat").model_dump(by_alias=True, exclude_defaults=True)}
    )  # fmt: skip
    watchman, beats = Watchman(ledger, FILE, told, lambda _: M), Told()
    ledger.enqueue("e1", "firing", "gone", body(), NOW)
    send(ledger, NOW, Told())
    for minute in range(3):
        ledger.advance("g", NOW + minute * M)
        assert [*watchman.look(NOW + minute * M, beats)] == ["dead-1"]
    refused = Told("refused")
    send(ledger, NOW + 3 * M, refused)
    assert len(refused.keys) == 1
    ledger.advance("g", NOW + 60 * M)
    assert watchman.look(NOW + 60 * M, beats) == {}  # the refused one was about alerting itself
    assert len(beats.keys) == 1


def test_while_the_ledger_is_locked_notifications_wait(tmp_path: Path) -> None:
    """As while an evaluator catches up with a long outage, in one transaction."""
    other, outbox, stop = (
        Ledger(tmp_path / "a.sqlite"),
        Ledger(tmp_path / "a.sqlite", True),
        threading.Event(),
    )
    outbox.enqueue("e1", "firing", "gone", body(), NOW)
    holding, told = Holding(Silences(outbox), RULES), Receivers(version=1)
    watchman = Watchman(outbox, FILE, told, lambda _: M)
    outbox.db.execute("PRAGMA busy_timeout = 0")
    given = (outbox, told, holding, watchman, lambda: NOW, stop, lambda: True)
    sender = threading.Thread(target=send_until_stopped, args=given, daemon=True)
    with other.transaction():
        sender.start()
        time.sleep(0.3)
        assert other.counts() == {"waiting": 1}
    until = time.monotonic() + 10
    while other.counts() != {"dead": 1}:
        assert time.monotonic() < until
        time.sleep(0.1)
    stop.set()
    sender.join(10)


@pytest.mark.parametrize(
    ("silent", "holds"),
    [
        ({"channel": "voice"}, True),
        ({"channel": "voice", "brand": "north"}, True),
        ({"channel": "voice", "brand": "south"}, False),  # another brand is silent
        ({"channel": "voice", "queue": "support"}, False),
        ({"brand": "north"}, False),
    ],
)
def test_a_silence_explains_what_is_where_it_is(silent: dict[str, str], holds: bool) -> None:
    own = {"channel": "voice", "queue": "sales", "brand": "north"}
    assert inhibits("Silent", silent, own, RULES["Silent"], RULES["Low"], "Low") == holds
