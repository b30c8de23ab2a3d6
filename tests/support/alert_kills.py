"""An evaluator and its sender that die at any statement, write or post; a receiver that knows repeats."""

import random
from typing import Any

from alerts.evaluate import Evaluator
from alerts.label_sets import WINDOWS
from alerts.ledger import Ledger
from alerts.notify.post import Delivery, Request
from alerts.receivers import Webhook
from alerts.rule import Group, RuleFile
from kpis.rules import DEFAULT_RULES
from reports.minutes import MinuteSums

M = 60_000
BASE = 1_767_571_200_000  # 2026-01-05T00:00Z
SERVICE_LEVEL = {"type": "objective", "op": "<", "target": 0.8}
HOOK = Webhook(name="hook", type="webhook", url="http://127.0.0.1:9/x", allow_private=True)


def group(**changes: Any) -> Group:
    rule = {"alert": "Low", "kpi": "service_level", "by": ["queue"], "when": SERVICE_LEVEL} | changes
    rule["labels"] = {"severity": "page"}
    rule["annotations"] = {"summary": "{{ queue }}: {{ value }} of {{ n }}, {{ unknown }}"}
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": [rule]}]}).groups[0]


def world(rng: random.Random, minutes: int) -> list[MinuteSums]:
    """Two queues with dips of an hour now and then."""
    found = []
    for number in range(minutes):
        for queue in ("A", "B"):
            dip = (number // 60) % 4 == (1 if queue == "A" else 3)
            n = rng.choice((0, 2, 5))
            k = sum(rng.random() < (0.3 if dip else 0.95) for _ in range(n))
            sums = {"answered_in_target": k, "service_level_n": n}
            if n:
                found.append(MinuteSums(BASE + number * M, "voice", queue, sums))
    return found


def evaluator(ledger: Ledger, *names: str) -> Evaluator:
    hooks = [HOOK.model_copy(update={"name": name}) for name in names]
    return Evaluator(DEFAULT_RULES, ledger, hooks)


def transitions(ledger: Ledger) -> list[tuple[Any, ...]]:
    return sorted((c.alert, c.labels, c.kind, c.at, c.opened_at) for c in ledger.changes(10_000))


def evaluate(own: Evaluator, rules: Group, minutes: list[MinuteSums], begin: int, end: int) -> None:
    first = BASE + (begin - 240) * M  # as the service reads: the longest window before the first step
    known = [minute for minute in minutes if first <= minute.minute < BASE + end * M]
    own.evaluate(rules, {WINDOWS: known}, (BASE + begin * M, BASE + end * M), BASE + end * M)


class Killed(BaseException):
    """kill -9 at this point: nothing after it happens."""


class Provider:
    """A receiver that knows repeats by their key, and a process that dies before or after telling it."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        self.rng, self.chance = rng, chance
        self.told: list[str] = []
        self.posts = 0

    def post(self, request: Request) -> Delivery:
        self.die()
        if self.rng.random() < 0.1:
            return Delivery("again", "status 503")
        self.posts += 1
        key = request.headers["Idempotency-Key"]
        if key not in self.told:
            self.told.append(key)
        self.die()
        return Delivery("sent")

    def die(self) -> None:
        if self.rng.random() < self.chance:
            raise Killed


class Dying:
    """A connection whose process may die before or after any statement."""

    def __init__(self, db: Any, provider: Provider) -> None:
        self._db, self._provider = db, provider

    def execute(self, *args: Any) -> Any:
        if self._provider.rng.random() < 0.003:
            raise Killed
        done = self._db.execute(*args)
        if self._provider.rng.random() < 0.003:
            raise Killed
        return done

    def close(self) -> None:
        self._db.close()


def all_is_told(provider: Provider, ledger: Ledger, whole: list[tuple[Any, ...]]) -> None:
    """Who knows keys has nothing missing and nothing extra, and no end before its beginning."""
    firing = [key for key in provider.told if "-firing-" in key]
    ended = [key for key in provider.told if "-firing-" not in key]
    dropped = ledger.counts().get("dropped", 0)
    assert len(firing) + dropped == sum(row[2] == "firing" for row in whole)
    assert {key.split("-")[0] for key in ended} <= {key.split("-")[0] for key in firing}
    for key in ended:
        assert provider.told.index(key) > provider.told.index(f"{key.split('-')[0]}-firing-hook")
