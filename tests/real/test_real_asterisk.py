"""A real Asterisk takes calls for a minute; `ringback follow` reads its queue_log, `ringback listen` its AMI.

In the middle the log is rotated, both readers are killed, and Asterisk is killed with calls waiting; all are
started again and calls go on. Counts must be exact from the log, from AMI, and from both together. `pytest
tests/real` runs it; where Asterisk cannot be installed it is skipped with the reason.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.asterisk_pbx import Manager, Pbx, root_folder
from support.gateway import PARTITIONS, events_stored
from support.stack import Running, wait_until

from adapters.kit.contract import by_owner
from adapters.kit.outcomes import Accepted
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from kpis.facts import ContactFact, LegFact
from kpis.fold.events import fold
from schemas.customer_key import customer_key
from schemas.events import ContactEvent, Event
from streams.kafka.topics import ensure_topics

pytestmark = [pytest.mark.real, pytest.mark.timeout(1500)]
SECRET = b"k" * 32
RING_S, TALK_S, PATIENCE_S = 1, 3, 5
ANSWERED = [f"4930550{number}" for number in range(100, 107)]  # the last one after the restart
HUNG_UP = [f"4930550{number}" for number in range(200, 205)]  # so too
CUT_OFF = [f"4930550{number}" for number in range(300, 302)]
WITHIN_MS = 1_300  # rounding to seconds, and a busy machine


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    root = root_folder()
    if isinstance(root, str):
        pytest.skip(root)
    started = Pbx(root)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[str]:
    """A Kafka of the test's own, with the topics."""
    cache = Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir())
    runtime = ensure_runtime(cache, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    kafka = LocalKafka(tmp_path / "kafka", free_port(), runtime)
    try:
        kafka.start()
        asyncio.run(ensure_topics(kafka.bootstrap_servers, PARTITIONS, 1))
        yield kafka.bootstrap_servers
    finally:
        kafka.stop()


class Watch:
    """The two commands, which are killed whenever it is told, and a manager who makes the calls."""

    def __init__(self, pbx: Pbx, servers: str, folder: Path) -> None:
        self._pbx, self._servers, self._folder = pbx, servers, folder
        self._env = {
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "RINGBACK_DATA_DIR": str(folder),
            "RINGBACK_CUSTOMER_KEY_SECRET": SECRET.decode(),
            "RINGBACK_SECRET_ASTERISK_AMI": "test",
        }
        self.manager = Manager(pbx.port, folder / "ami.log")
        self.begin()

    def begin(self) -> None:
        """Start both, and wait until the one is connected: AMI tells nothing again."""
        self.follow = Running(self._env, "follow", "asterisk", str(self._pbx.log))
        self.listen = Running(
            self._env, "listen", "asterisk_ami", f"127.0.0.1:{self._pbx.port}", "--user", "test"
        )
        self.connected(1)

    def connected(self, times: int) -> None:
        """Wait until it has connected so often."""
        wait_until(lambda: self.listen.log().count("connected") >= times, "it does not listen")

    def die(self) -> None:
        """Kill both, and start them again."""
        self.kill()
        self.begin()

    def kill(self) -> None:
        """kill -9."""
        for each in (self.follow, self.listen):
            each.process.kill()

    def stop(self) -> None:
        """SIGTERM: what was read is sent."""
        for each in (self.follow, self.listen):
            each.process.stop()

    def wait(self, seconds: float) -> None:
        """Let time go by; what AMI answers is taken."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.manager.record()
            time.sleep(0.1)

    def call(self, number: str, queue: str, patience_s: int) -> None:
        self.manager.act(
            "Originate",
            Channel=f"Local/stays-{patience_s}@callers/n",
            Exten=queue,
            Context="queues",
            Priority="1",
            CallerID=number,
            Async="true",
        )

    def staff(self) -> None:
        """Members of the queues; Asterisk forgets them when it ends."""
        self.add("sales", f"ok-{RING_S}-{TALK_S}", "Agent 0")
        self.add("nobody", "silent-1", "Silent One")
        self.add("long", "silent-2", "Silent Two")
        self.wait(1)

    def add(self, queue: str, interface: str, name: str) -> None:
        self.manager.act("QueueAdd", Queue=queue, Interface=f"Local/{interface}@members/n", MemberName=name)


def contacts(events: Iterable[Event]) -> dict[str, tuple[ContactFact, tuple[LegFact, ...]]]:
    """The facts of contacts by the key of the customer."""
    found: dict[str, tuple[ContactFact, tuple[LegFact, ...]]] = {}
    for told in by_owner([Accepted(0, tuple(events), 0)]).values():
        facts = fold([event for event in told if isinstance(event, ContactEvent)])
        if facts.contact and facts.contact.customer_key:
            found[facts.contact.customer_key] = (facts.contact, facts.legs)
    return found


def near(found: int | None, expected_s: float) -> bool:
    return found is not None and abs(found - expected_s * 1000) <= WITHIN_MS


def test_followed_and_listened_to_it_says_what_was_done(pbx: Pbx, servers: str, tmp_path: Path) -> None:
    watch = Watch(pbx, servers, tmp_path)
    try:
        calls_with_kills(pbx, watch)
        watch.stop()
    finally:
        watch.kill()
    stored = asyncio.run(events_stored(servers))
    log, ami = ([e for e in stored if e.source == name] for name in ("asterisk", "asterisk_ami"))
    check(log)
    check(ami)
    check([*ami, *log])
    assert "lines were lost" not in watch.follow.log()
    assert len([*pbx.log.parent.glob("queue_log*")]) >= 2


def calls_with_kills(pbx: Pbx, watch: Watch) -> None:
    """Calls; the log is rotated, the readers are killed, and in the end Asterisk with calls waiting."""
    watch.staff()
    for place, number in enumerate(ANSWERED[:-1]):
        watch.call(number, "sales", 60)
        if place < len(HUNG_UP) - 1:
            watch.call(HUNG_UP[place], "nobody", PATIENCE_S)
        watch.wait(max(RING_S + TALK_S, PATIENCE_S) + 1.5)
        if place == 2:
            watch.manager.act("LoggerRotate")
        if place in (1, 3):
            watch.die()
    for number in CUT_OFF:
        watch.call(number, "long", 60)
    watch.wait(3)
    pbx.kill()
    watch.manager.close()
    pbx.start()
    watch.connected(2)  # by itself
    watch.manager = Manager(pbx.port, pbx.home / "ami-2.log")
    watch.staff()
    watch.call(ANSWERED[-1], "sales", 60)
    watch.call(HUNG_UP[-1], "nobody", PATIENCE_S)
    watch.wait(max(RING_S + TALK_S, PATIENCE_S) + 2)
    watch.manager.close()


def check(events: Iterable[Event]) -> None:
    """Every call is there once, with what was done to it."""
    found = contacts(events)
    for number in ANSWERED:
        _, (leg,) = found[str(customer_key(number, SECRET))]
        assert (leg.handled, leg.abandoned, leg.agent) == (1, 0, "Agent 0"), number
        assert near(leg.talk_ms, TALK_S), (number, leg.talk_ms)
        assert near(leg.queue_ms, RING_S), (number, leg.queue_ms)
    for number in HUNG_UP:
        _, (leg,) = found[str(customer_key(number, SECRET))]
        assert (leg.handled, leg.abandoned, leg.end_detail) == (0, 1, "queue"), number
        assert near(leg.queue_ms, PATIENCE_S), (number, leg.queue_ms)
    for number in CUT_OFF:
        contact, (leg,) = found[str(customer_key(number, SECRET))]
        assert (leg.abandoned, contact.end_by) == (1, "system"), number
    assert len(found) == len(ANSWERED + HUNG_UP + CUT_OFF)
