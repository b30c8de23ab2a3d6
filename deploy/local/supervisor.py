"""Keeps the parts of the local stack running: starts them in order, restarts what dies, stops in reverse."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from deploy.local.child import log_tail
from deploy.local.errors import LocalStackError
from deploy.local.pulse import ASK_EVERY_S, Pulse

POLL_S = 0.05


class Handle(Protocol):
    """Something that runs."""

    def alive(self) -> bool:
        """Whether it still runs."""

    def stop(self) -> None:
        """End it, and return when it has ended. Called once more for one that ended by itself."""


def _at_once(_handle: Handle) -> bool:
    return True


@dataclass(frozen=True)
class Service:
    """A part of the stack.

    `start` begins it and returns soon; `ready` is asked every 50 ms until it says yes. A start that
    raises LocalStackError, dies, or is not ready within `ready_limit_ms` has failed. `answers`
    asks whether it still does, once it is ready: one that hangs is started again (deploy.local.pulse).
    """

    name: str
    start: Callable[[], Handle]
    ready: Callable[[Handle], bool] = _at_once
    ready_limit_ms: int = 60_000
    log_path: Path | None = None
    answers: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How a dead service is restarted: waits double from the first to the longest.

    A service that lived `steady_ms` after it was ready starts afresh; one that dies `quick_deaths` times
    in a row sooner than that is given up.
    """

    first_wait_ms: int = 200
    longest_wait_ms: int = 5_000
    steady_ms: int = 10_000
    quick_deaths: int = 6
    ask_every_s: float = ASK_EVERY_S

    def wait_ms(self, deaths: int) -> int:
        """Wait before the next start after this many deaths in a row (1 or more)."""
        return min(self.longest_wait_ms, self.first_wait_ms << min(deaths - 1, 30))


class Supervisor:
    """Runs services. All of it happens in the one thread that calls `start` and `run`.

    That thread must outlive the children (see ChildProcess); `request_stop` may come from any thread.
    """

    def __init__(
        self, services: Sequence[Service], log: Callable[[str], None], policy: RestartPolicy | None = None
    ) -> None:
        self._log = log
        self._stop = threading.Event()
        self._units = [_Unit(service, policy or RestartPolicy(), log, self._stop) for service in services]

    def start(self) -> None:
        """Start every service in order, each when the one before is ready.

        Returns early when a stop is requested. Raises LocalStackError after stopping everything again
        when one cannot be started: at the first start there is nothing to gain from trying again.
        """
        try:
            for index, unit in enumerate(self._units):
                unit.launch()
                while not self._stop.is_set() and not unit.settled():
                    self._stop.wait(POLL_S)
                    for earlier in self._units[:index]:
                        earlier.watch()
        except BaseException:
            self.stop()
            raise

    def run(self) -> None:
        """Watch and restart until `request_stop`, then stop everything.

        Raises LocalStackError, after stopping everything, when a service keeps dying.
        """
        try:
            while not self._stop.wait(POLL_S):
                for unit in self._units:
                    unit.watch()
        finally:
            self.stop()

    def request_stop(self) -> None:
        """Make `start` and `run` come to an end soon."""
        self._stop.set()

    def stop(self) -> None:
        """Stop every service, the last one first."""
        self._stop.set()
        for unit in reversed(self._units):
            unit.stop()


class _Unit:
    """One service and the handle that runs it, if any."""

    def __init__(
        self, service: Service, policy: RestartPolicy, log: Callable[[str], None], stop: threading.Event
    ) -> None:
        self.service = service
        self.policy = policy
        self._log = log
        self._stop = stop
        self._handle: Handle | None = None
        self._ready = False
        self._since = 0.0  # monotonic: of the launch, then of readiness
        self._restart_at = 0.0
        self._deaths = 0
        self._pulse: Pulse | None = None

    def launch(self) -> None:
        if not self._stop.is_set():
            self._ready = False
            self._since = time.monotonic()
            self._handle = self.service.start()

    def settled(self) -> bool:
        """Whether the service is ready. Raises LocalStackError when it failed instead."""
        if self._handle is None or self._ready:
            return self._ready
        failure = self._failure(self._handle)
        if failure is not None:
            self._handle.stop()
            self._handle = None
            raise self._error(failure)
        self._ready = self.service.ready(self._handle)
        if self._ready:
            self._since = time.monotonic()
            if self.service.answers is not None:
                self._pulse = Pulse(self.service.answers, self.policy.ask_every_s)
        return self._ready

    def watch(self) -> None:
        """One look: note a death, restart when due. Raises LocalStackError when given up."""
        if self._handle is None:
            if time.monotonic() >= self._restart_at:
                self._attempt(self.launch)
        elif not self._ready:
            self._attempt(self.settled)
            if self._ready:
                self._log(f"{self.service.name} is ready again")
        elif not self._handle.alive() or (self._pulse is not None and self._pulse.hangs):
            what = "does not answer any more" if self._handle.alive() else "died"
            lived_ms = (time.monotonic() - self._since) * 1000
            if lived_ms >= self.policy.steady_ms:
                self._deaths = 0
            self._end(self._handle)  # and what it may have left behind
            self._handle = None
            self._died(what)

    def stop(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._end(handle)

    def _end(self, handle: Handle) -> None:
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None
        handle.stop()

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except LocalStackError as error:
            self._died(error.message.partition("\n")[0])

    def _died(self, what: str) -> None:
        self._deaths += 1
        if self._deaths >= self.policy.quick_deaths:
            raise self._error(f"was given up after {self._deaths} deaths in a row ({what})")
        wait_ms = self.policy.wait_ms(self._deaths)
        self._restart_at = time.monotonic() + wait_ms / 1000
        self._log(f"{self.service.name} {what}; starting it again in {wait_ms / 1000:.1f} s")

    def _failure(self, handle: Handle) -> str | None:
        if not handle.alive():
            return "ended while it started"
        if (time.monotonic() - self._since) * 1000 > self.service.ready_limit_ms:
            return f"was not ready after {self.service.ready_limit_ms / 1000:.0f} s"
        return None

    def _error(self, what: str) -> LocalStackError:
        path = self.service.log_path
        if path is None:
            return LocalStackError(f"{self.service.name} {what}", "its messages above may say why")
        tail = log_tail(path) or "(none)"
        return LocalStackError(
            f"{self.service.name} {what}; its last words:\n{tail}", f"the whole log is {path}"
        )


@contextmanager
def stop_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `request_stop`; only in the main thread, which alone gets signals."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
