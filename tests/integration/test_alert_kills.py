"""The ledger in Kafka under kills: what a dead evaluator has decided and said, another one goes on from."""

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from support.alert_kills import (
    BASE,
    HOOK,
    Dying,
    Killed,
    M,
    Provider,
    all_is_told,
    evaluate,
    evaluator,
    group,
    transitions,
    world,
)
from support.stack import wait_until

from alerts import ledger_topic, voice
from alerts.lease import LeaseLost
from alerts.ledger import Ledger
from alerts.notify.post import Delivery
from alerts.notify.sender import send_due
from alerts.shared_retries import ask_again
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
MINUTES = 6 * 60
# More of them for a long proof: RINGBACK_ALERT_KAFKA_SEEDS=28 is more than a thousand kills.
SEEDS = int(os.environ.get("RINGBACK_ALERT_KAFKA_SEEDS", "1"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    runtime = ensure_runtime(Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir()),
                             os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)  # fmt: skip
    kafka = LocalKafka(tmp_path_factory.mktemp("kafka"), free_port(), runtime)
    kafka.launch()
    wait_until(kafka.ready, "the local Kafka is not usable")
    yield kafka.bootstrap_servers
    kafka.stop()


def own_topic(servers: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger and a group of its own for a test."""
    topic = NewTopic(f"alert-ledger-{name}", 1, config={"cleanup.policy": "compact"})
    admin = AdminClient({"bootstrap.servers": servers})
    for made in admin.create_topics([topic]).values():
        made.result(30)
    for module in (voice, ledger_topic):
        monkeypatch.setattr(module, "ALERT_LEDGER", topic.topic)
    monkeypatch.setattr(voice, "ALERT_GROUP", f"ringback-alerts-{name}")


class DyingProducer:
    """A producer whose process may die before or after anything that it does."""

    def __init__(self, producer: Any, provider: Provider) -> None:
        self._producer, self._provider = producer, provider

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def done(*args: Any, **named: Any) -> Any:
            self._die()
            answer = getattr(self._producer, name)(*args, **named)
            self._die()
            return answer

        return done

    def _die(self) -> None:
        if self._provider.rng.random() < 0.01:
            raise Killed


class Machine:
    """An evaluator with a folder of its own, from its start until it is killed."""

    def __init__(self, servers: str, folder: Path, provider: Provider) -> None:
        self.ledgers = [Ledger(folder / "alerts.sqlite") for _ in range(3)]
        self.ledger, self.outbox, copied = self.ledgers
        self.voice = voice.Voice(servers, copied)
        # What Kafka's group does: this one is the owner of the partition, and whoever was before is not.
        while not self.voice.ours():
            self.voice._take_over()
        self.voice._producer = DyingProducer(self.voice._producer, provider)  # type: ignore[assignment]
        for each in self.ledgers:
            each._db = Dying(each._db, provider)  # type: ignore[assignment]
        self.provider = provider

    def minute(self, upto: int, clock: int, minutes: list[Any]) -> None:
        """Decide what is due, and say what there is to say."""
        begin = self.ledger.position("g")
        start = 0 if begin is None else (begin - BASE) // M
        if start < upto:
            own = evaluator(self.ledger, "hook")
            own.guard = self.guarded
            evaluate(own, group(), minutes, start, upto)
        send_due(self.outbox, {"hook": HOOK}, lambda: clock, self.provider.post, ours=self.voice.told)

    def guarded(self) -> None:
        if not self.voice.ours():
            raise LeaseLost

    def close(self) -> None:
        for each in self.ledgers:
            each.close()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_anywhere_another_machine_tells_the_rest_once(
    servers: str, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """A kill is before or after a statement, a write to Kafka or a post; then one of two machines goes on."""
    own_topic(servers, str(seed), monkeypatch)
    minutes, rng = world(random.Random(7), MINUTES), random.Random(seed)
    alone = Ledger(tmp_path / "alone.sqlite")
    evaluate(evaluator(alone), group(), minutes, 0, MINUTES)
    whole = transitions(alone)
    provider, kills, now = Provider(rng, 0.15), 0, 0
    machine: Machine | None = None
    is_over, path = False, tmp_path
    while not is_over:
        try:
            machine = machine or Machine(servers, tmp_path / rng.choice(("one", "two")), provider)
            path, now = machine.ledger.path, now + 2
            machine.minute(min(now, MINUTES), BASE + now * M, minutes)
            is_over = now >= MINUTES and not machine.outbox.counts().get("waiting", 0)
        except Killed:
            kills += 1
            if machine is not None:
                machine.close()
            machine = None
    if machine is not None:
        machine.close()
    left = Ledger(path)
    print(f"kills {kills}, told {len(provider.told)}, posts {provider.posts}")
    record_property("kills", kills)
    assert kills > 20
    assert transitions(left) == whole
    all_is_told(provider, left, whole)
    left.close()
    alone.close()


def test_what_was_given_up_is_tried_again_from_any_machine_and_once(
    servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_topic(servers, "retry", monkeypatch)
    ledger, leave = Ledger(tmp_path / "one" / "alerts.sqlite", threads=True), threading.Event()
    first, clock = voice.Voice(servers, ledger), count(BASE, M)

    def send(outcome: Literal["sent", "refused"]) -> int:
        return send_due(
            ledger, {"hook": HOOK}, lambda: next(clock), lambda _: Delivery(outcome), ours=first.told
        )

    keeper = threading.Thread(target=first.keep, args=(leave,), daemon=True)
    keeper.start()
    try:
        wait_until(first.told, "it is nobody's turn")
        for name in ("e", "f"):
            ledger.enqueue(name, "firing", "hook", {"status": "firing", "labels": {}}, BASE)
        monkeypatch.setattr("alerts.notify.sender.deliver", lambda *given: given[-1](None))
        send("refused")
        wait_until(first.told, "it is not its turn any more")
        assert ask_again(servers, "g-firing-hook") == 0
        assert ask_again(servers, "e-firing-hook") == 1
        wait_until(lambda: first.told() and ledger.counts() == {"dead": 1, "waiting": 1}, "it is not taken")
        ledger.db.execute("UPDATE outbox SET due_at = 0")
        send("refused")
        wait_until(first.told, "it is not its turn any more")
    finally:
        leave.set()
        keeper.join()
        ledger.close()
    assert ask_again(servers, "f-firing-hook") == 1  # while nobody has the voice
    with closing(Ledger(tmp_path / "two" / "alerts.sqlite", threads=True)) as other:
        second = voice.Voice(servers, other)
        second._take_over()
        states = dict(other.db.execute("SELECT id, state FROM outbox"))
        assert states == {"e-firing-hook": "dead", "f-firing-hook": "waiting"}  # the first was given up anew
        wait_until(second.told, "it is not its turn")
        assert ask_again(servers, None) == 1  # the other is not given up any more
