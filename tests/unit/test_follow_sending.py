"""What a log gives is kept as read only after Kafka has it."""

import asyncio
import lzma
from pathlib import Path

import pytest
from support.recorded_asterisk import RECORDED, SECRET

from adapters.asterisk.follow import Following
from adapters.sending.following import Followed, follow_once, follow_until
from adapters.sending.outcomes import Pulse
from adapters.sending.producer import NotSent, Offsets
from schemas.dead_letter import DeadLetter
from schemas.events import Event


class Broker:
    """Takes what is sent; one that is away lets nothing be confirmed."""

    def __init__(self, away: bool = False) -> None:
        self.confirmed: list[Event] = []
        self._waiting: list[Event] = []
        self._away = away

    async def send(self, event: Event) -> None:
        self._waiting.append(event)

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        raise AssertionError(refused)

    async def flush(self) -> Offsets:
        if self._away:
            raise NotSent("Kafka is away")
        self.confirmed += self._waiting
        self._waiting = []
        return {}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    path.write_bytes(lzma.decompress((RECORDED / "queue_log.1.xz").read_bytes()))
    return path


async def test_what_was_not_confirmed_is_sent_again(log: Path) -> None:
    kept = log.with_name("position.json")
    with pytest.raises(NotSent):
        await follow_once(Following(log, kept, SECRET), Broker(away=True), Followed())
    broker, followed = Broker(), Followed()
    following = Following(log, kept, SECRET)
    while await follow_once(following, broker, followed):
        pass
    assert followed.lines == 639
    assert len(broker.confirmed) == followed.sent > 900
    assert not await follow_once(Following(log, kept, SECRET), broker, followed)


async def test_it_goes_on_until_it_is_told_to_stop(log: Path) -> None:
    broker, followed, stop = Broker(), Followed(), asyncio.Event()
    following = Following(log, log.with_name("position.json"), SECRET)
    pulse = Pulse("asterisk", said_s=float("inf"))
    task = asyncio.create_task(follow_until(stop, following, broker, followed, 0.01, pulse))
    async with asyncio.timeout(10):
        while followed.lines < 639:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        with log.open("ab") as file:
            file.write(b"1795740168|NONE|support|Agent 01|PAUSE|Lunch\n")
        while followed.lines < 640:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stop.set()
        await task
    assert broker.confirmed[-1].type == "agent_state_changed"
