"""How a worker ends: when it is told to, and when something failed that only a person can mend.

Both go the same way out: SIGTERM. Faust's own way, `app.crash`, marks every service as crashed, also the
consumer's thread and its queue of calls. These may then be gone before the last commit, for which the
worker waits: of workers that failed, 1 in 16 never ended.
"""

import os
import signal
import threading
from collections.abc import Iterable
from typing import NoReturn

import faust
import structlog

from streams.commit.lanes import Lanes
from streams.health.health import Health

log = structlog.get_logger()
# Longer than batches in progress take, and shorter than the stop_grace_period of docker-compose.yml.
STOP_LIMIT_S = 25.0
FAILED = 1


class Ending:
    """What stops when a worker does: the batches of all its stages."""

    def __init__(self, health: Health, lanes: Iterable[Lanes]) -> None:
        self.health = health
        self.lanes = list(lanes)

    def fail(self, error: Exception) -> None:
        """Say why, begin no other batch, and stop: Faust would go on behind what failed."""
        log.error("worker stops", error=str(error), kind=type(error).__name__)
        self._close()
        self.health.failed = True
        signal.raise_signal(signal.SIGTERM)

    async def begun_has_ended(self) -> None:
        """Let what is in progress end, and begin nothing else."""
        self._close()
        await self.empty()

    async def empty(self) -> None:
        """Wait until nothing is in progress."""
        for lanes in self.lanes:
            await lanes.empty()

    def _close(self) -> None:
        for lanes in self.lanes:
            lanes.closed = True


class Worker(faust.Worker):  # type: ignore[misc]  # faust is untyped to us
    """Faust's worker, which has a limited time to stop: it might wait for what comes no more."""

    def on_worker_shutdown(self) -> None:
        """Called when it begins to stop, for whatever reason."""
        timer = threading.Timer(STOP_LIMIT_S, give_up)
        timer.daemon = True
        timer.start()


def give_up() -> NoReturn:
    """End the process as `kill -9` would, which loses nothing."""
    log.error("worker ends without having stopped", after_s=STOP_LIMIT_S)
    os._exit(FAILED)
