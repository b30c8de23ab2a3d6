"""CPU and memory of one process: the one that is measured, not those that it talks to."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

SAMPLE_S = 0.05
CHILDREN_S = 1.0  # looking for them reads all processes of the machine, which costs milliseconds
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the table: what was done, with how much, and whether it was right."""

    events: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    counted: str


def not_measured(why: str) -> Outcome:
    """A row without figures."""
    return Outcome(0, 0, 0, 0, why)


class Meter:
    """Measures a process from now on; `sample` often enough to see its peak memory."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._children: list[psutil.Process] = []
        self._looked = -CHILDREN_S
        self._cpu, self._started = self.used(), time.monotonic()
        self.sample()

    def used(self) -> float:
        """CPU-seconds of the process since it began."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def sample(self) -> None:
        """Look at the memory once: of the process and of those that it has started."""
        if (now := time.monotonic()) - self._looked >= CHILDREN_S:
            self._children, self._looked = self._process.children(recursive=True), now
        used = self._process.memory_info().rss
        for child in self._children:
            with suppress(psutil.NoSuchProcess):
                used += child.memory_info().rss
        self._peak = max(self._peak, used)

    @property
    def peak_mib(self) -> float:
        """Most memory seen."""
        return self._peak / MIB

    @property
    def resident_mib(self) -> float:
        """Memory now."""
        return float(self._process.memory_info().rss) / MIB

    def outcome(self, events: int, counted: str = "") -> Outcome:
        """What was used since the beginning."""
        wall, cpu = time.monotonic() - self._started, self.used() - self._cpu
        self.sample()
        return Outcome(events, wall, cpu, self.peak_mib, counted)


def told(name: str, measure: Callable[[], Outcome]) -> Outcome:
    """Measure, and say on stderr that it is under way."""
    print(f"measuring: {name}", file=sys.stderr, flush=True)
    return measure()


def cpu_s() -> float:
    """CPU of this process and of those that it has started and waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


class Stopwatch:
    """For a measured program to measure its own work: `with Stopwatch() as used: ...; used.report(...)`."""

    def __enter__(self) -> "Stopwatch":
        self._started, self._cpu = time.monotonic(), cpu_s()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.monotonic() - self._started, cpu_s() - self._cpu

    def report(self, events: int, counted: str) -> None:
        """Tell the parent, on stdout."""
        document = {"events": events, "wall_s": self.wall_s, "cpu_s": self.cpu_s, "counted": counted}
        sys.stdout.buffer.write(orjson.dumps(document))


# Python's collector set as in a worker: at its defaults it is a third of all, and by chance.
AS_A_WORKER = """import runpy, sys; from streams.health.garbage_collector import collect_rarely
del sys.argv[0]; collect_rarely(); runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)"""


def run(program: str, *arguments: str | Path) -> Outcome:
    """Run `python -m bench.<program>` to its end; it reports its own work, we watch its memory."""
    command = [sys.executable, "-c", AS_A_WORKER, f"bench.{program}", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        meter = Meter(child.pid)
        while child.poll() is None:
            time.sleep(SAMPLE_S)
            with suppress(psutil.NoSuchProcess):
                meter.sample()
        assert child.stdout is not None
        told = child.stdout.read()
    if child.returncode:
        raise RuntimeError(f"bench.{program} failed with status {child.returncode}")
    return Outcome(**orjson.loads(told), peak_mib=meter.peak_mib)
