"""Sends simulated contact centres one after the other without pause, and knows what they must come to."""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field

from adapters.sending.producer import EventSender
from bench.events import Windows
from schemas.events import AgentStateChanged, SourceHeartbeat
from schemas.time_units import DAY_MS
from simulator.deliveries import Disorder, deliver
from simulator.pace import paced
from simulator.simulation import START_MS, Simulation

WEEK_MS = 7 * DAY_MS
ROUND_CONTACTS = 150
# Worse than the simulator's usual: a tenth comes twice, one in twenty late, one in a hundred is corrected.
DISORDER = Disorder(late=0.05, duplicated=0.1, corrected=0.01)


@dataclass
class Sent:
    """What was sent so far."""

    events: int = 0  # of contacts and agents
    heartbeats: int = 0
    duplicates: int = 0  # the same event and revision once more
    late: int = 0  # after an event that happened later
    rounds: int = 0
    truth: Windows = field(default_factory=dict)


class Feed:
    """A thread that sends `rate` events a second, each round a week of its own, until `finish`."""

    def __init__(self, servers: str, seed: int, rate: float) -> None:
        self.sent = Sent()
        self._servers, self._seed, self._rate = servers, seed, rate
        self._enough = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def check(self) -> None:
        """Raises what ended the sending too early."""
        if self._error is not None:
            raise RuntimeError("the feed has ended") from self._error

    def finish(self, limit_s: float) -> Sent:
        """Let the present round end; what was sent, all of it confirmed by Kafka. Raises TimeoutError."""
        self._enough.set()
        self._thread.join(limit_s)
        self.check()
        if self._thread.is_alive():
            raise TimeoutError(f"Kafka has not confirmed everything after {limit_s:g} s")
        return self.sent

    def _run(self) -> None:
        try:
            asyncio.run(self._send_rounds())
        except BaseException as error:
            self._error = error

    async def _send_rounds(self) -> None:
        async with EventSender(self._servers, on_wait=lambda message: None) as sender:
            while not self._enough.is_set():
                await self._send_round(sender, self.sent.rounds)
                self.sent.rounds += 1

    async def _send_round(self, sender: EventSender, number: int) -> None:
        seed = self._seed * 10_000 + number
        simulation = Simulation(seed, start_ms=START_MS + number * WEEK_MS, contacts=ROUND_CONTACTS)
        known, latest = Counter[tuple[str, str, int]](), 0
        async for delivery in paced(deliver(simulation.everything(), DISORDER, seed), rate=self._rate):
            event = delivery.event
            await sender.send(event)
            if isinstance(event, SourceHeartbeat):
                self.sent.heartbeats += 1
                continue
            owner = event.agent if isinstance(event, AgentStateChanged) else event.contact_id
            known[owner, event.event_id, event.revision] += 1
            self.sent.events += 1
            self.sent.late += event.occurred_at < latest
            latest = max(latest, event.occurred_at)
        self.sent.duplicates += known.total() - len(known)
        self.sent.truth |= {tuple(key): row for key, row in simulation.truth.windows().items()}  # type: ignore[misc]
