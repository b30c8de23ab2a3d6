"""The wallboard of the demo: at the simulated time, for as long as the demo runs."""

import asyncio
import os
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cli.console import out
from cli.wallboard import reader_of
from cli.wallboard_settings import WallboardSettings
from deploy.local.ports import LOOPBACK, free_port, is_free
from schemas.time_units import DAY_MS
from simulator.dip import QUEUE
from wallboard.config import Queue, Targets, WallConfig
from wallboard.doors import Doors
from wallboard.server import Wall, running

QUEUES = ("support", "billing", QUEUE, "general", "expert", "chat", "messaging", "email")
NAMES = {"expert": "Second line", "email": "E-mail"}
START_LIMIT_S = 10.0
# Until what is sent is stored: the wall shows the simulated moment of so long ago.
UNDER_WAY_S = 2.0


class Clock:
    """The simulated time on the wall: it runs as fast as the demo, a little behind, and stops at closing."""

    def __init__(self, start_ms: int, closing_ms: int, seconds: int) -> None:
        self._start_ms, self._closing_ms = start_ms, closing_ms
        self._speed = (closing_ms - start_ms) / seconds
        self._began: float | None = None

    def start(self) -> None:
        """Sending begins."""
        self._began = time.monotonic()

    def __call__(self) -> int:
        """The moment, in UTC ms."""
        if self._began is None:
            return self._start_ms
        gone_s = max(time.monotonic() - self._began - UNDER_WAY_S, 0)
        return min(self._start_ms + round(gone_s * self._speed), self._closing_ms)


def config() -> WallConfig:
    """The queues of the simulated centre."""
    queues = tuple(Queue(queue=name, name=NAMES.get(name, name.capitalize())) for name in QUEUES)
    targets = Targets(service_level=0.8, abandonment_rate=0.08)
    return WallConfig(title="Ringback demo", queues=queues, targets=targets)


def has_browser() -> bool:
    """Is there a person with a screen? On a terminal alone a text browser would take it."""
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(out.is_terminal and (shown or sys.platform in ("darwin", "win32")))


@contextmanager
def hanging(settings: WallboardSettings, clock: Callable[[], int]) -> Iterator[str]:
    """The wallboard in a thread of its own while the block runs; gives its address."""
    port = settings.wallboard_port if is_free(settings.wallboard_port) else free_port()
    # A second is minutes there: what is under way is not behind.
    wall = Wall(replace(reader_of(settings, config(), clock), behind_after_ms=DAY_MS), simulated=True)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(wall, Doors(), LOOPBACK, port):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        if not ready.wait(START_LIMIT_S):
            raise OSError(f"the wallboard does not start on port {port}")
        yield f"http://{LOOPBACK}:{port}/"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_LIMIT_S)


def show(address: str, browser: bool) -> None:
    """Say where it is, and open it where somebody sees it."""
    out.print(f"wallboard {address}", highlight=False)
    if browser:
        webbrowser.open(address)
