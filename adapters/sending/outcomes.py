"""What those who send for ever share, be it of a log or a connection: an outcome, its counts, the pause."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from adapters.kit.outcomes import Accepted, LineOutcome
from adapters.sending.producer import Offsets
from schemas.dead_letter import DeadLetter
from schemas.events import Event, SourceHeartbeat


class Sender(Protocol):
    """What they need of adapters.sending.producer.EventSender."""

    async def send(self, event: Event) -> None:
        """Hand an event over; it may wait until Kafka has taken others."""

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Hand the dead letter of a refused line over."""

    async def flush(self) -> Offsets:
        """Wait until all is confirmed."""


@dataclass
class Counts:
    """What was sent, and how it stands. `gaps`: how often something was lost, lines that were gone or what
    was told while there was no connection; `heard_s`: when all was last read, or something heard."""

    sent: int = 0
    dead_letters: int = 0
    gaps: int = 0
    connected: bool = False
    heard_s: float = 0.0


async def send_outcome(outcome: LineOutcome, sender: Sender, counts: Counts) -> None:
    """Send what one line or block tells."""
    if isinstance(outcome, Accepted):
        for event in outcome.events:
            await sender.send(event)
            counts.sent += 1
    elif isinstance(outcome, DeadLetter):
        await sender.send_dead_letter(outcome)
        counts.dead_letters += 1


@dataclass
class Pulse:
    """When to say that a source is alive. Not whenever it is heard."""

    source: str
    every_s: float = 30.0
    said_s: float = 0.0

    async def beat(self, sender: Sender) -> None:
        """Say it, if it was not said a moment ago, and wait until Kafka has it."""
        now = time.time()
        if now - self.said_s >= self.every_s:
            self.said_s, at = now, int(now * 1000)
            await sender.send(SourceHeartbeat(event_id=f"alive-{at}", source=self.source, occurred_at=at))
            await sender.flush()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
