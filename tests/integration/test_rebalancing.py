"""Workers come and go while events flow: two on eight partitions, one added, one killed, one added again.

RINGBACK_REBALANCING=20000 makes it that many contacts in each of three imports, some five events each.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.numbers import lag
from support.stack import Running, Stack, background, wait_until
from test_crashes import data, grown, last_partitions

from schemas.topics import KPI_WINDOWS, WORKER_GROUP
from streams.health.group_lag import OffsetReader

CONTACTS = int(os.environ.get("RINGBACK_REBALANCING", "1200"))
PARTITIONS = 8
__all__ = ["data"]  # the fixture


@pytest.fixture
def stack(fresh_stack: Stack) -> Stack:
    """One whose topics are created with eight partitions."""
    plain = fresh_stack.env

    def env(**more: str) -> dict[str, str]:
        return plain(RINGBACK_PARTITIONS=str(PARTITIONS), **more)

    object.__setattr__(fresh_stack, "env", env)
    return fresh_stack


def shared(*workers: Running) -> None:
    """Wait until these workers have all partitions, and each has some."""
    wait_until(
        lambda: min(map(last_partitions, workers)) > 0 and sum(map(last_partitions, workers)) == PARTITIONS,
        "partitions not shared",
    )


async def test_workers_come_and_go(stack: Stack, data: SimpleNamespace, tmp_path: Path) -> None:
    with ExitStack() as running:

        def start(part: str) -> Running:
            return running.enter_context(background(stack.env(), part))

        start("sink")
        first, second = start("worker"), start("worker")
        shared(first, second)
        async with OffsetReader(stack.bootstrap_servers) as watch:
            imports = [data.start(6, CONTACTS)]
            await grown(watch, KPI_WINDOWS, 1)
            third = start("worker")
            shared(first, second, third)
            imports.append(data.start(9, CONTACTS))
            await grown(watch, KPI_WINDOWS, 1)
            second.process.kill()
            assert await lag(stack, WORKER_GROUP) > 0
            shared(first, third)
            imports.append(data.start(12, CONTACTS))
            await grown(watch, KPI_WINDOWS, 1)
            fourth = start("worker")
            shared(first, third, fourth)
        for importing in imports:
            await importing.check()
        assert await lag(stack, WORKER_GROUP) == 0
        for worker in (first, third, fourth):
            assert worker.process.alive()
            assert "Traceback" not in worker.log()
