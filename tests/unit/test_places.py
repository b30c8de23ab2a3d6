"""Threads of the embedded ClickHouse: who may only read has few, and takes none of the owner's."""

import asyncio
import threading

from deploy.local.clickhouse.places import Limits, Places
from deploy.local.clickhouse.users import stack_users


async def test_many_readers_leave_the_owner_its_threads() -> None:
    """Of twenty queries of BI two run, the rest wait; what the owner asks meanwhile is done."""
    places = Places(stack_users("a", "b"), Limits(threads=3, reading_threads=2))
    running, going_on = threading.Semaphore(0), threading.Event()

    def slow() -> str:
        running.release()
        going_on.wait(10)
        return "bi"

    asked = [asyncio.create_task(places.run("bi", slow, None)) for _ in range(20)]
    try:
        for _ in range(2):
            assert await asyncio.to_thread(running.acquire, timeout=10)
        owned = [places.run("default", lambda: "stored", None) for _ in range(3)]
        assert await asyncio.wait_for(asyncio.gather(*owned), 10) == ["stored"] * 3
        assert not running.acquire(blocking=False)
    finally:
        going_on.set()
    assert await asyncio.gather(*asked) == ["bi"] * 20
    places.close()
