"""The daily test: once a day, whoever asks and dies, and its end once it has arrived."""

import random
from pathlib import Path

import orjson
import pytest
from support.alert_kills import HOOK, Dying, Killed, M, Provider

from alerts.ledger import Ledger
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.notify.text import title
from alerts.receivers import Receivers, SelfTest
from alerts.rule_file import BadRules, read_receivers
from alerts.self_test import QUEUE, self_test

H = 60 * M
DAY = 24 * H
NEW_YORK_9 = 1_772_805_600_000  # 2026-03-06T09:00 there; two days later the clock is put forward
TOLD = Receivers(
    version=1, receivers=(HOOK,), self_test=SelfTest(at="09:00", zone="America/New_York", receiver="hook")
)


def test_once_a_day_on_the_clock_of_its_zone(tmp_path: Path) -> None:
    ledger, told = Ledger(tmp_path / "a.sqlite"), list[tuple[int, str]]()

    def post(request: Request) -> Delivery:
        said = orjson.loads(request.body)
        told.append((now, title(said)))
        assert said["labels"]["queue"] == QUEUE
        return Delivery("sent")

    for now in range(NEW_YORK_9 - 30 * M, NEW_YORK_9 + 4 * DAY, 5 * M):
        self_test(ledger, TOLD, now)
        send_due(ledger, {"hook": HOOK}, lambda: now, post)  # noqa: B023
    begins = [at for at, said in told if said.startswith("[FIRING] the daily test")]
    ends = [at for at, said in told if said.startswith("[RESOLVED] the daily test")]
    assert begins == [NEW_YORK_9 + days * DAY - (H if days > 1 else 0) for days in range(5)]
    assert ends == [at + 5 * M for at in begins]
    assert ledger.changes(9) == []


@pytest.mark.parametrize("seed", range(4))
def test_two_evaluators_that_are_killed_tell_it_once(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    provider, kills = Provider(rng, 0.2), 0
    for minute in range(400):
        now = NEW_YORK_9 - H + minute * M
        for _ in range(2):  # each believes that it is its turn
            ledger = Ledger(tmp_path / "a.sqlite")
            ledger.db.execute("PRAGMA synchronous = OFF")
            ledger._db = Dying(ledger._db, provider)  # type: ignore[assignment]
            try:
                self_test(ledger, TOLD, now)
                send_due(ledger, {"hook": HOOK}, lambda: now, provider.post)  # noqa: B023
            except Killed:
                kills += 1
            ledger.close()
    assert kills > 5
    assert provider.told == ["selftest-2026-03-06-firing-hook", "selftest-2026-03-06-resolved-hook"]


def test_one_that_is_not_taken_is_a_notification_given_up_and_has_no_end(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    for now in (NEW_YORK_9, NEW_YORK_9 + M, NEW_YORK_9 + 2 * M):
        self_test(ledger, TOLD, now)
        send_due(ledger, {"hook": HOOK}, lambda: now, lambda _: Delivery("refused", "status 404"))  # noqa: B023
    assert (ledger.counts(), ledger.given_up()) == ({"dead": 1}, (1, NEW_YORK_9))


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ("{receiver: hook}", ""),
        ("{receiver: hok}", "there is no receiver hok"),
        ('{receiver: hook, at: "9:00"}', "write a time such as 07:30"),
        ('{receiver: hook, at: "24:00"}', "write 00:00"),
        ("{receiver: hook, zone: Rome}", "no time zone Rome"),
    ],
)
def test_how_it_is_written(tmp_path: Path, own: str, fault: str) -> None:
    path = tmp_path / "receivers.yaml"
    path.write_text(
        "version: 1\nreceivers: [{name: hook, type: webhook, url: https://example.org/x}]\n"
        f"self_test: {own}\n"
    )
    if not fault:
        assert read_receivers(path).self_test is not None
        return
    with pytest.raises(BadRules, match=fault):
        read_receivers(path)
