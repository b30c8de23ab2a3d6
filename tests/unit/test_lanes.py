"""Batches of different partitions overlap, those of one do not."""

import asyncio

from streams.commit.lanes import Lanes


class Recorder:
    """Batches that wait to be let go on, and what they did."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.did: list[str] = []
        self.go_on: dict[str, asyncio.Event] = {}

    async def batch(self, name: str, partition: int) -> None:
        async with self.lanes.of(partition):
            self.did.append(f"{name} begins")
            self.go_on[name] = asyncio.Event()
            await self.go_on[name].wait()
            self.did.append(f"{name} ends")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_partitions_overlap() -> None:
    """While a waits for its acknowledgement, b of another partition is computed."""
    recorder = Recorder()
    await recorder.lanes.start(0, recorder.batch("a", 0))
    await recorder.lanes.start(1, recorder.batch("b", 1))
    await settle()
    assert recorder.did == ["a begins", "b begins"]
    assert recorder.lanes.busy


async def test_batches_of_a_partition_do_not() -> None:
    """The next one is not even taken from the stream before: that bounds memory."""
    recorder = Recorder()
    await recorder.lanes.start(0, recorder.batch("a", 0))
    following = asyncio.create_task(recorder.lanes.start(0, recorder.batch("b", 0)))
    await settle()
    assert recorder.did == ["a begins"]
    assert not following.done()
    recorder.go_on["a"].set()
    await settle()
    assert recorder.did == ["a begins", "a ends", "b begins"]
    assert following.done()


async def test_empty_waits_for_all() -> None:
    """Before partitions move nothing may be in progress."""
    recorder = Recorder()
    for partition, name in enumerate("abc"):
        await recorder.lanes.start(partition, recorder.batch(name, partition))
    await settle()
    empty = asyncio.create_task(recorder.lanes.empty())
    for name in "cab":
        await settle()
        assert not empty.done()
        recorder.go_on[name].set()
    await asyncio.wait_for(empty, 1)
    assert not recorder.lanes.busy
