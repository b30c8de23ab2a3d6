"""What a worker or sink is doing: one line in the log for each change, and whether it is ready."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from streams.health.lag import Positions, Where
from streams.health.metrics import Metrics

log = structlog.get_logger()
STARTING, RECOVERING, READY, MOVING, STOPPING = "starting", "recovering", "ready", "moving", "stopping"
REASONS = {
    STARTING: "starting",
    RECOVERING: "recovering its state",
    MOVING: "its partitions are moving",
    STOPPING: "stopping",
}


class Health:
    """State, positions and metrics of a process: written by its loop, read by streams.health.observer.

    `loop` is the loop to watch, once it is known; `remaining` counts what recovery still has to read.
    """

    def __init__(self, who: str, metrics: Metrics | None = None) -> None:
        self.who = who
        self.metrics = metrics or Metrics()
        self.positions = Positions()
        self.state = ""
        self.waits: list[str] = []  # for what, of all that waits
        self.failed = False  # the process ends because of an error
        self.loop: asyncio.AbstractEventLoop | None = None
        self.remaining: Callable[[], int] = lambda: 0

    def become(self, state: str, **fields: Any) -> None:
        """Note a state and, if it is another than before, say so. After the end there is none."""
        if self.state in (state, STOPPING):
            return
        self.state = state
        self._show()
        if state != MOVING:  # said by `revoked`
            log.info(f"{self.who} {state}", **fields)

    @contextmanager
    def waiting(self, why: str) -> Iterator[None]:
        """While the block runs events are not taken, for a reason that passes."""
        self.waits.append(why)
        self._show()
        try:
            yield
        finally:
            self.waits.remove(why)
            self._show()

    def _show(self) -> None:
        self.metrics.ready.set(self.not_ready() is None)

    def assigned(self, partitions: Iterable[Where]) -> None:
        """Partitions were assigned: these and no others."""
        ours = sorted(partitions)
        self.positions.assign(ours, time.time_ns() // 1_000_000)
        log.info("partitions assigned", partitions=listed(ours))

    def revoked(self, partitions: Iterable[Where]) -> None:
        """Partitions move; which of them come back is known when they are assigned."""
        ours = sorted(partitions)
        self.positions.clear()
        if ours and self.state != STOPPING:
            log.info("partitions revoked", partitions=listed(ours))

    def not_ready(self) -> str | None:
        """Why the process is not ready; None when it is."""
        if self.state == READY:
            return next(iter(self.waits), None)
        why = REASONS.get(self.state, "starting")
        left = self.left()
        return f"{why}, {left:,} records to go" if left else why

    def left(self) -> int:
        """Records that recovery still has to read."""
        if self.state != RECOVERING:
            return 0
        try:
            return max(self.remaining(), 0)
        except RuntimeError:  # another thread's dictionary changed while it was read; there is a next time
            return 0


def listed(partitions: Iterable[Where]) -> str:
    """Partitions for a log line: contact-events[0,1] kpi-windows[0]."""
    numbers: dict[str, list[str]] = {}
    for topic, partition in partitions:
        numbers.setdefault(topic, []).append(str(partition))
    return " ".join(f"{topic}[{','.join(found)}]" for topic, found in numbers.items())
