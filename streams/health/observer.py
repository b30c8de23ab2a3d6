"""A thread beside a worker or sink: serves /metrics, /health and /ready, measures lag, sees what is stuck.

A thread with a loop of its own, so that it still answers, and says so, when the process' loop does not.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from streams.health.endpoint import Endpoint, serve
from streams.health.following import without
from streams.health.group_lag import OffsetReader
from streams.health.health import READY, Health, listed
from streams.health.lag import Lag, StuckDetector, Where, lag_of
from streams.health.metrics import set_only

log = structlog.get_logger()
LOOK_EVERY_S = 2.0
KAFKA_LIMIT_S = 10.0
STOP_LIMIT_S = 3.0


@dataclass(slots=True)
class LagWatcher:
    """Measures lag, looks for what stands still, and sets the gauges of both."""

    health: Health
    group: str
    detector: StuckDetector = field(default_factory=StuckDetector)
    ends: dict[Where, int] = field(default_factory=dict)
    before: dict[Where, int] = field(default_factory=dict)  # what was done when last asked

    async def ask(self, offsets: OffsetReader) -> None:
        """Ask Kafka for the ends of our partitions, and where we go on in those that are new."""
        held = self.health.positions.held()
        if any(position.following is None for position in held.values()):
            committed = await offsets.known(self.group)
            for where, position in held.items():
                if position.following is None:
                    position.following = committed.get(where, 0)
        done = {where: at for where, position in held.items() if (at := position.following) is not None}
        ends = await offsets.ends_of(held) if held else {}
        # Where nothing moves there may be nothing to do: markers of transactions are no records.
        still = {where: ends[where] for where, at in done.items() if self.before.get(where) == at}
        self.ends, self.before = without(ends, done, await offsets.at_end(done, still)), done

    def look(self, now_ms: int, now: float) -> None:
        """Set the gauges by what is known; without an answer from Kafka, by its last one."""
        metrics, held = self.health.metrics, self.health.positions.held()
        lags: dict[Where, Lag] = {}
        for where, position in held.items():
            lag = lag_of(position, self.ends[where], now_ms) if where in self.ends else None
            if lag is not None:
                lags[where] = lag
        # What recovers or is moving does nothing for a reason, and says so by `ready`.
        begun, over = self.detector.look(lags if self.health.state == READY else {}, now)
        report(begun, over, lags, now_ms, now)
        events: dict[tuple[str, ...], float] = {}
        seconds: dict[tuple[str, ...], float] = {}
        stuck: dict[tuple[str, ...], float] = {}
        for (topic, partition), lag in lags.items():
            labels = (topic, str(partition))
            events[labels], seconds[labels] = lag.events, lag.seconds
            stuck[labels] = float((topic, partition) in self.detector.stuck)
        set_only(metrics.lag_events, events)
        set_only(metrics.lag_seconds, seconds)
        set_only(metrics.stuck, stuck)
        metrics.remaining.set(self.health.left())


def report(
    begun: dict[Where, float], over: dict[Where, float], lags: dict[Where, Lag], now_ms: int, now: float
) -> None:
    """One line for what stands still, one for what does so no more."""
    if begun:
        since = datetime.fromtimestamp((now_ms - (now - min(begun.values())) * 1000) / 1000, UTC)
        log.warning(
            "stuck: nothing done while there is lag",
            partitions=listed(sorted(begun)),
            since=since.isoformat(timespec="seconds"),
            lag_events=sum(lags[where].events for where in begun),
        )
    if over:
        lasted = round(now - min(over.values()), 1)
        log.info("no longer stuck", partitions=listed(sorted(over)), lasted_s=lasted)


async def watch_lag(watcher: LagWatcher, servers: str) -> None:
    """Look again and again. A Kafka that is away is no reason to end; we connect anew."""
    while True:
        with suppress(KafkaError, OSError):  # TimeoutError is one of these
            async with AsyncExitStack() as connected:
                async with asyncio.timeout(KAFKA_LIMIT_S):
                    offsets = await connected.enter_async_context(OffsetReader(servers))
                while True:
                    async with asyncio.timeout(KAFKA_LIMIT_S):
                        await watcher.ask(offsets)
                    watcher.look(time.time_ns() // 1_000_000, time.monotonic())
                    await asyncio.sleep(LOOK_EVERY_S)
        watcher.look(time.time_ns() // 1_000_000, time.monotonic())
        await asyncio.sleep(LOOK_EVERY_S)


async def observe(health: Health, endpoint: Endpoint, stop: asyncio.Event) -> None:
    """Serve and look until told to stop."""
    runner = await serve(health, endpoint)
    looking = asyncio.create_task(watch_lag(LagWatcher(health, endpoint.group), endpoint.bootstrap_servers))
    looking.add_done_callback(say_why)
    await stop.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await runner.cleanup()


def say_why(looking: asyncio.Task[None]) -> None:
    """It should not end by itself; if it does, metrics are stale and the log says so."""
    if not looking.cancelled() and (error := looking.exception()):
        log.error("lag is no longer measured", error=str(error), kind=type(error).__name__)


@contextmanager
def observed(who: str, endpoint: Endpoint) -> Iterator[Health]:
    """A Health to be kept by the process while the block runs, and shown to whoever asks."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    health = Health(who)
    ProcessCollector(registry=health.metrics.registry)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(observe(health, endpoint, stop))
        loop.close()

    thread = threading.Thread(target=run, name="observer", daemon=True)
    thread.start()
    try:
        yield health
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(STOP_LIMIT_S)
