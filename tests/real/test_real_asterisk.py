"""A real Asterisk takes calls for half a minute while its queue_log is followed and its AMI recorded.

In the middle the log is rotated, the reader killed, and Asterisk killed with calls waiting; both are started
again and calls go on. Counts must be exact from the log, from AMI, and from both together. `pytest
tests/real` runs it; where Asterisk cannot be installed it is skipped with the reason.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.asterisk_pbx import Manager, Pbx, root_folder

from adapters.asterisk.follow import Following
from adapters.asterisk_ami.file import AmiFile
from adapters.kit.contract import by_owner
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import LineOutcome
from kpis.facts import ContactFact, LegFact
from kpis.fold.events import fold
from schemas.customer_key import customer_key
from schemas.events import ContactEvent, Event

pytestmark = [pytest.mark.real, pytest.mark.timeout(1500)]
SECRET = b"samples"
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


class Watch:
    """Follows the log and records AMI; the reader is killed whenever it is told."""

    def __init__(self, pbx: Pbx, folder: Path) -> None:
        self._pbx, self._folder = pbx, folder
        self.safe: list[LineOutcome] = []
        self.manager = Manager(pbx.port, folder / "ami.log")
        self.following = self._follow()

    def _follow(self) -> Following:
        return Following(self._pbx.log, self._folder / "position.json", SECRET)

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.manager.record()
            outcomes = [*self.following.poll()]
            self.following.keep()
            self.safe += outcomes
            time.sleep(0.1)

    def die(self) -> None:
        """Read, and be killed before it is kept."""
        for _ in self.following.poll():
            pass
        self.following.close()
        self.following = self._follow()

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


def contacts(outcomes: list[LineOutcome]) -> dict[str, tuple[ContactFact, tuple[LegFact, ...]]]:
    """The facts of contacts by the key of the customer."""
    found: dict[str, tuple[ContactFact, tuple[LegFact, ...]]] = {}
    events: list[Event]
    for events in by_owner(outcomes).values():
        of_contact = [event for event in events if isinstance(event, ContactEvent)]
        facts = fold(of_contact)
        if facts.contact and facts.contact.customer_key:
            found[facts.contact.customer_key] = (facts.contact, facts.legs)
    return found


def near(found: int | None, expected_s: float) -> bool:
    return found is not None and abs(found - expected_s * 1000) <= WITHIN_MS


def test_followed_and_recorded_it_says_what_was_done(pbx: Pbx, tmp_path: Path) -> None:
    watch = Watch(pbx, tmp_path)
    watch.staff()
    for place, number in enumerate(ANSWERED[:-1]):
        watch.call(number, "sales", 60)
        if place < len(HUNG_UP) - 1:
            watch.call(HUNG_UP[place], "nobody", PATIENCE_S)
        watch.wait(RING_S + TALK_S + 1.5)
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
    watch.manager = Manager(pbx.port, tmp_path / "ami-2.log")
    watch.die()
    watch.staff()
    watch.call(ANSWERED[-1], "sales", 60)
    watch.call(HUNG_UP[-1], "nobody", PATIENCE_S)
    watch.wait(max(RING_S + TALK_S, PATIENCE_S) + 2)
    watch.manager.close()
    check(watch.safe, restarted=True)
    told, sessions = [], AmiFile()
    for name in ("ami.log", "ami-2.log"):
        with open_lines(tmp_path / name) as file:
            told += sessions(file, SECRET)
    check(told, restarted=False)
    check([*watch.safe, *told], restarted=True)
    assert not watch.following.gap
    assert len([*pbx.log.parent.glob("queue_log*")]) >= 2


def check(outcomes: list[LineOutcome], restarted: bool) -> None:
    """Every call is there once, with what was done to it."""
    found = contacts(outcomes)
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
        assert leg.abandoned == int(restarted), number
        assert not restarted or contact.end_by == "system"
    assert len(found) == len(ANSWERED + HUNG_UP + CUT_OFF)
