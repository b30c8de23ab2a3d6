"""Batches that come close together are applied as one, in their order, and none is lost."""

import asyncio
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from streams.commit.gathering import Gathering
from streams.commit.lanes import Lanes

REST_S = 0.05


class Applied:
    """What was applied, as lists of records; each takes a moment."""

    def __init__(self, rest_s: float = REST_S, most_records: int = 1_000) -> None:
        self.lanes = Lanes()
        self.batches: list[list[Any]] = []
        self.gathering = Gathering(self.lanes, self.apply, rest_s, most_records)
        self.in_progress = 0

    async def apply(self, events: list[Any]) -> None:
        partition = events[0].partition
        async with self.lanes.of(partition):
            self.batches.append([record for event in events for record in event.value])
            await asyncio.sleep(0.001)

    async def add(self, *records: Any, partition: int = 0) -> None:
        await self.gathering.add(partition, SimpleNamespace(partition=partition, value=records))


async def test_the_first_begins_at_once_and_what_comes_while_it_rests_is_one_batch() -> None:
    applied = Applied(rest_s=0.2)
    await applied.add(1)
    await asyncio.sleep(0.01)
    assert applied.batches == [[1]]
    await applied.add(2)
    await applied.add(3, 4)
    await applied.add(10, partition=1)  # rests by itself
    await asyncio.sleep(0.01)
    assert applied.batches == [[1], [10]]
    await applied.lanes.empty()  # before partitions move: what waits is not left behind
    assert applied.batches == [[1], [10], [2, 3, 4]]


async def test_a_full_batch_does_not_wait_and_grows_no_more() -> None:
    applied = Applied(rest_s=60, most_records=3)
    await applied.add(1)
    await asyncio.sleep(0)
    for number in range(2, 8):
        await applied.add(number)
    await asyncio.sleep(0.05)
    assert applied.batches == [[1], [2, 3, 4], [5, 6, 7]]


@pytest.mark.parametrize("seed", range(3))
async def test_every_record_is_applied_once_and_in_order(seed: int) -> None:
    rng, applied = Random(seed), Applied(rest_s=0.004, most_records=5)
    sent: dict[int, list[Any]] = {0: [], 1: []}
    for number in range(200):
        partition = rng.randrange(2)
        sent[partition].append((partition, number))
        await applied.add((partition, number), partition=partition)
        if rng.random() < 0.3:
            await asyncio.sleep(rng.random() / 200)
    await applied.lanes.empty()
    for partition, records in sent.items():
        found = [batch for batch in applied.batches if batch[0][0] == partition]
        assert [record for batch in found for record in batch] == records
        assert len(found) < len(records)
        assert max(map(len, found)) <= 5
