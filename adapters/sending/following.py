"""Sending the events of a log while it is written: how far it was read is kept once Kafka has them."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.kit.outcomes import LineOutcome
from adapters.sending.outcomes import Counts, Sender, pause, send_outcome
from schemas.events import SourceHeartbeat

BATCH = 1_000  # lines between two times that the position is kept


class Follows(Protocol):
    """What reads a log while it is written, such as adapters.asterisk.follow.Following."""

    def __init__(self, place: str, kept: Path, secret: bytes) -> None:
        """Go on where `kept` says. Raises WrongFile where it says nothing that can be understood."""

    @property
    def gap(self) -> bool:
        """Were lines lost?"""

    def poll(self) -> Iterator[LineOutcome]:
        """What has come since."""

    def keep(self) -> None:
        """All that was polled is safe."""

    def close(self) -> None:
        """Let go of the log."""


@dataclass
class Followed(Counts):
    """What was read and sent."""

    lines: int = 0


async def follow_once(following: Follows, sender: Sender, followed: Followed) -> bool:
    """Send what has come, at most BATCH lines, and keep how far that is; False where nothing had come."""
    before = followed.lines
    for outcome in following.poll():
        followed.lines += 1
        await send_outcome(outcome, sender, followed)
        if followed.lines - before >= BATCH:
            break
    if followed.lines == before:
        return False
    await sender.flush()
    following.keep()
    return True


@dataclass
class Pulse:
    """When to say that a source is alive: its log was read to the end. Not for every look at it."""

    source: str
    every_s: float = 30.0
    said_s: float = 0.0

    async def beat(self, sender: Sender) -> None:
        """Say it, if it was not said a moment ago, and wait until Kafka has it."""
        now = time.time()
        if now - self.said_s >= self.every_s:
            self.said_s, at = now, int(now * 1000)
            await sender.send(SourceHeartbeat(event_id=f"follow-{at}", source=self.source, occurred_at=at))
            await sender.flush()


async def follow_until(
    stop: asyncio.Event,
    following: Follows,
    sender: Sender,
    followed: Followed,
    every_s: float,
    pulse: Pulse | None = None,
) -> None:
    """Go on until told to stop, looking again after a while when nothing has come."""
    while not stop.is_set():
        if not await follow_once(following, sender, followed):
            if pulse is not None:
                await pulse.beat(sender)
            await pause(stop, every_s)
