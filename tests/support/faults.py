"""Faults that tests do to a stack, and the simulated events that must survive them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from support.numbers import stored, windows
from support.stack import Running, Stack

from adapters.sending.producer import EventSender
from adapters.sending.records import Encode
from bench.small_disk import mounted
from deploy.local.ports import free_port
from kpis.rules import Rules
from reports.verification import compare
from schemas.codec import encode
from simulator.deliveries import Disorder, deliver
from simulator.simulation import START_MS, Simulation

WEEK_MS = 7 * 86_400_000
DISORDER = Disorder(late=0.05, duplicated=0.1, corrected=0.01)
# How long a fault lasts; some are worth their time only when it is set, to minutes.
LONG_S = os.environ.get("RINGBACK_FAULT_S")
FAULT_S = float(LONG_S or "2")


class Week:
    """A simulated week of the test's own, whose truth is known."""

    def __init__(self, week: int, start_ms: int = START_MS, contacts: int = 150) -> None:
        self.begin = start_ms + week * WEEK_MS
        simulation = Simulation(week, start_ms=self.begin, contacts=contacts)
        self.events = [one.event for one in deliver(simulation.events(), DISORDER, seed=week)]
        self.truth = {tuple(key): row for key, row in simulation.truth.windows().items()}

    async def send(self, stack: Stack, encode: Encode = encode) -> None:
        """Send all of it; returns when Kafka has it."""
        async with EventSender(stack.bootstrap_servers, encode=encode) as sender:
            for event in self.events:
                await sender.send(event)

    async def check(self, stack: Stack) -> None:
        """All is stored, nothing is lost, nothing counted twice."""
        await stored(stack)
        assert windows(stack, begin=self.begin, end=self.begin + WEEK_MS) == self.truth
        agrees(stack)


def agrees(stack: Stack) -> None:
    """What `ringback verify` compares, without a process for it."""
    with stack.client() as client:
        report = compare(client, Rules(), None)
    assert (report.differing, report.differences) == (0, [])
    assert report.windows > 0


@contextmanager
def stop_and_go(pid: int, stopped_s: float = 0.4, going_s: float = 0.1) -> Iterator[None]:
    """Let a process run for a fifth of the time only (SIGSTOP, SIGCONT), while the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            time.sleep(stopped_s)
            os.kill(pid, signal.SIGCONT)
            over.wait(going_s)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Altered(Running):
    """A `ringback` process with some Python run before it: a fault at a point that no signal can hit."""

    def __init__(self, env: Mapping[str, str], fault: str, *args: str) -> None:
        path = Path(env["RINGBACK_DATA_DIR"]) / f"fault-{args[0]}.py"
        path.write_text(f"{fault}\nfrom cli.main import run\nrun()\n", encoding="utf-8")
        super().__init__(env, *args, program=[sys.executable, str(path)])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk at this folder, and a file to fill it by; skips the test where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(mounted(folder, size))
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a small disk cannot be mounted here: it needs root")
        yield folder / "ballast"


def fill(ballast: Path) -> None:
    """Leave no room on a disk, until the file is removed."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)


class Relay:
    """Passes connections on to a server on this machine; while it is closed, the server is gone."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = free_port()
        self.open()

    def open(self) -> None:
        """Let connections through."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._serve, args=(self._server, self._taken), daemon=True).start()

    def close(self) -> None:
        """Refuse connections, and cut those that there are."""
        for one in (self._server, *self._taken):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self, server: socket.socket, taken: list[socket.socket]) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            onward = socket.create_connection(("127.0.0.1", self._target))
            taken += [client, onward]
            for source, sink in ((client, onward), (onward, client)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until one side closes."""
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
