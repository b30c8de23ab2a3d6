"""Sending the events of a log while it is written: how far it was read is kept once Kafka has them."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.kit.outcomes import LineOutcome
from adapters.sending.outcomes import Counts, Pulse, Sender, pause, send_outcome

BATCH = 1_000  # lines between two times that the position is kept


class Follows(Protocol):
    """What reads a log while it is written, such as adapters.asterisk.follow.Following."""

    def __init__(self, place: str, kept: Path, secret: bytes) -> None:
        """Go on where `kept` says. Raises WrongFile where it says nothing that can be understood."""

    @property
    def gaps(self) -> int:
        """How often lines were lost."""

    @property
    def away(self) -> bool:
        """Can the log not be read at this moment?"""

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
        followed.lines, followed.gaps, followed.connected = followed.lines + 1, following.gaps, True
        await send_outcome(outcome, sender, followed)
        if followed.lines - before >= BATCH:
            break
    if followed.lines == before:
        return False
    await sender.flush()
    following.keep()
    return True


async def follow_until(
    stop: asyncio.Event,
    following: Follows,
    sender: Sender,
    followed: Followed,
    every_s: float,
    pulse: Pulse,
) -> None:
    """Go on until told to stop, looking again after a while when nothing has come. A log that was read to
    the end is alive."""
    while not stop.is_set():
        if not await follow_once(following, sender, followed):
            followed.connected = not following.away
            if followed.connected:
                followed.heard_s = time.time()
                await pulse.beat(sender)
            await pause(stop, every_s)
