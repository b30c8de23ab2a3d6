"""A worker that failed ends, with a status that says so, even where Faust would wait for ever."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from streams.commit.lanes import Lanes
from streams.engine.shutdown import FAILED, Ending
from streams.health.health import Health

STUCK = """
import asyncio, faust
from streams.engine import shutdown

app = faust.App("stuck", broker="memory://", web_enabled=False, topic_disable_leader=True)

@app.task(on_leader=False)
async def fail():
    raise ValueError("planted")

@app.on_before_shutdown.connect
async def wait(app, **kwargs):
    await asyncio.Event().wait()

shutdown.STOP_LIMIT_S = 0.2
shutdown.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()
"""


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """SIGTERM as it comes in."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    yield came
    signal.signal(signal.SIGTERM, before)


def test_a_failure_is_a_stop_before_which_nothing_else_begins(signals: list[int]) -> None:
    health, lanes = Health("worker"), [Lanes(), Lanes()]
    Ending(health, lanes).fail(ValueError("planted"))
    assert [one.closed for one in lanes] == [True, True]
    assert health.failed
    assert signals == [signal.SIGTERM]


def test_a_worker_that_cannot_stop_ends_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == FAILED
    assert "ends without having stopped" in done.stdout + done.stderr
