"""Benchmarks run: each once, with little of everything. What they measure is not looked at here."""

import subprocess
import sys

import pytest
from support.every_kind import EVERY_KIND

LIMIT_S = 240
QUICK = ("fcr --contacts 2000",)
SLOW = (
    "alert_load --rules 10 --queues 5 --steps 3 --replay-days 1",
    "bi --contacts 10000",
    "dimensions --events 2000 --rounds 1",
    "gateway --rate 50 --seconds 5",
    "growth --contacts 0 3000 --queues 8 --partitions 4 --events 3000",
    "importing --events 3000 --times 1",
    "latency --rates 100 --seconds 4",
    "producers --events 3000 --times 1",
    "rebuild --events 20000 --base 10000 --differing 5",
    "recovery --contacts 2000",
    "replay --events 3000",
    "soak --kills 4 --mean 5",
    "store --contacts 3000",
)


@pytest.mark.parametrize("line", [*QUICK, *(pytest.param(line, marks=EVERY_KIND) for line in SLOW)])
def test_benchmark_runs(line: str) -> None:
    program, *arguments = line.split()
    command = [sys.executable, "-m", f"bench.{program}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert not done.returncode, done.stderr[-2_000:]
