"""A route tree through kills: in groups too everybody is told once, and each end after its beginning."""

import os
import random
from pathlib import Path

import orjson
import pytest
from support.alert_kills import BASE, HOOK, Dying, Killed, M, Provider, evaluate, group, world

from alerts.evaluate import Evaluator
from alerts.ledger import ENDS, Ledger
from alerts.notify.post import Delivery, Request
from alerts.notify.sender import send_due
from alerts.reminding import remind
from alerts.route import Route
from kpis.rules import DEFAULT_RULES

HOURS, CHANGED = 10, 335
TOP = {"receiver": "hook", "group_by": ["alert"], "repeat_interval": "20m"}
BEFORE = Route.model_validate(TOP | {"routes": [
    {"matchers": ["queue=A"], "receiver": "other", "group_by": ["..."], "continue": True},
    {"matchers": ["queue=A"], "group_by": ["queue"], "group_wait": "2m"},
]})  # fmt: skip
AFTER = Route.model_validate({"receiver": "other", "group_by": ["..."]})
HOOKS = [HOOK, HOOK.model_copy(update={"name": "other"})]


class Reader(Provider):
    """A receiver that knows repeats by their key, and what it read in each message."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        super().__init__(rng, chance)
        self.read: list[tuple[str, str, str]] = []

    def post(self, request: Request) -> Delivery:
        before = len(self.told)
        try:
            return super().post(request)
        finally:
            if len(self.told) > before:
                name = "other" if self.told[-1].endswith("other") else "hook"
                body = orjson.loads(request.body)
                for each in body.get("alerts") or [body]:
                    again = "again" if "still firing" in str(each["annotations"]) else each["status"]
                    self.read.append((name, each["episode"], again))


def dying(path: Path, reader: Reader) -> Ledger:
    ledger = Ledger(path)
    ledger._db = Dying(ledger._db, reader)  # type: ignore[assignment]
    return ledger


@pytest.mark.parametrize("seed", range(int(os.environ.get("RINGBACK_ALERT_KILL_SEEDS", "2"))))
def test_killed_anywhere_a_tree_that_changes_tells_each_once(tmp_path: Path, seed: int) -> None:
    """The tree is another one from a minute on in which something fires."""
    rng, now, kills, path = random.Random(seed), 0, 0, tmp_path / "a.sqlite"
    minutes, reader, known = world(random.Random(7), HOURS * 60), Reader(rng, 0.2), {h.name: h for h in HOOKS}
    ledger = dying(path, reader)
    while now < HOURS * 60 + 90:
        now += 1
        clock, until = BASE + now * M, min(now, HOURS * 60)
        route = BEFORE if now < CHANGED else AFTER
        try:
            begin = ledger.position("g")
            start = 0 if begin is None else (begin - BASE) // M
            if start < until:
                evaluate(Evaluator(DEFAULT_RULES, ledger, HOOKS, route=route), group(), minutes, start, until)
            remind(ledger, HOOKS, clock, route)
            send_due(ledger, known, lambda clock=clock: clock, reader.post)  # type: ignore[misc]
        except Killed:
            kills += 1
            ledger.close()
            ledger = dying(path, reader)
    ledger.close()
    ledger = Ledger(path)
    assert kills > 30
    changes = ledger.changes(10_000)
    assert any(each.kind == "firing" and 0 < CHANGED - (each.at - BASE) // M < 60 for each in changes)
    over = {each.episode for each in changes if each.kind in ENDS}
    check(reader.read, over, {each.episode for each in changes if each.kind == "firing"})
    assert not {"waiting", "dead"} & {*ledger.counts()}
    ledger.close()


def check(read: list[tuple[str, str, str]], over: set[str], fired: set[str]) -> None:
    """Once each, beginnings before reminders before ends, and an end for each beginning that was told."""
    by: dict[tuple[str, str], list[str]] = {}
    for name, episode, status in read:
        by.setdefault((name, episode), []).append(status)
    assert {episode for _, episode in by} == fired
    assert len({name for name, _ in by}) == 2
    assert any("again" in found for found in by.values())
    for (_, episode), found in by.items():
        ended = [found[-1]] if episode in over else []
        assert all(status in ENDS for status in ended)
        assert found == ["firing", *["again"] * (len(found) - 1 - len(ended)), *ended]
