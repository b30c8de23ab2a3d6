"""The disk that a worker keeps its state on is full."""

import pytest
from support.faults import Week, fill, small_disk
from support.numbers import windows
from support.stack import Running, Stack, background, wait_until

pytest.importorskip("rocksdict", reason="state on disk needs the package rocksdict")
# Far below the 25 s after which a worker is ended by force.
SOON_S = 15.0
SAYS = "No space left on device. Nothing is lost, Kafka has everything. Make room there"


def stops_for_want_of_room(worker: Running) -> None:
    """With one message that says what to do, and as failed."""
    wait_until(lambda: not worker.process.alive(), "the worker goes on", SOON_S)
    assert worker.process.returncode == 1
    log = worker.log()
    assert "worker stops" in log
    assert SAYS in log
    assert "Traceback" not in log


async def test_no_room_for_the_state(fresh_stack: Stack) -> None:
    """The worker stops, and so does the next one; with room one goes on as if nothing had been."""
    stack, week, more = fresh_stack, Week(0), Week(1)
    env = stack.env(RINGBACK_STATE_STORE="rocksdict")
    with (
        small_disk(stack.data_dir / "state", "24m") as ballast,
        background(env, "worker") as worker,
        background(stack.env(), "sink"),
    ):
        await week.send(stack)
        await week.check(stack)
        fill(ballast)
        await more.send(stack)
        stops_for_want_of_room(worker)
        stops_for_want_of_room(Running(env, "worker"))
        ballast.unlink()
        with background(env, "worker") as last:
            await more.check(stack)
            assert windows(stack, begin=week.begin, end=more.begin) == week.truth
            assert last.process.alive()
            assert "Traceback" not in last.log()
