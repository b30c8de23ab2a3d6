"""A worker's own stages on a simulated broker that kills it: crashes between and inside any two writes,
re-delivery from an older commit, other batch boundaries every time, rules that change with a restart, and a
worker believed dead that repeats what it wrote long ago.

Real: stages, processors, forwarder, recovery, markers, fold, rows. Simulated: broker, tables, crash.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from streams import topics
from streams.agents import Agents
from streams.apply import Record
from streams.config import StreamConfig
from streams.customers import Customers
from streams.decoding import decode_single_object
from streams.disk import held_by
from streams.forwarder import Forwarder
from streams.processor import Processor
from streams.recovery import finish_batch
from streams.stage import Kept
from streams.stages import build_stages
from streams.writer import Span, joined

PARTITIONS = 2
STARTS = 12  # with a crash to come, mostly; then one that works everything off
Where = tuple[str, int]  # topic, partition


class Crash(Exception):
    """The process was killed."""


@dataclass
class Broker:
    """Topics as lists; kills the worker after so many more records."""

    records: dict[Where, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    left: int = 10**9

    async def write(self, topic: str, partition: int, records: Iterable[tuple[bytes, bytes]]) -> Span | None:
        await asyncio.sleep(0)
        written = []
        for key, value in records:
            if self.left <= 0:
                raise Crash
            self.left -= 1
            self.records[topic, partition].append((key, value))
            written.append((1, len(self.records[topic, partition]) - 1))
            if self.left % 3 == 0:
                await asyncio.sleep(0)  # writes to several topics overlap
        return joined(written)

    async def stop(self) -> None:
        pass

    def values(self, topic: str) -> list[bytes]:
        """Values of all partitions, in the order of each."""
        return [value for n in range(PARTITIONS) for _, value in self.records[topic, n]]

    def fetch(self, where: Where, begin: int, most: int) -> list[Record]:
        """Some records of a partition."""
        found = self.records[where][begin : begin + most]
        return [Record(begin + place, key, value) for place, (key, value) in enumerate(found)]


def recovered(broker: Broker, table: str, config: StreamConfig) -> Kept:
    """A table from what is on disk, if it is kept there, and the rest of its changelog."""
    kept = Kept(held_by(config, table), topics.changelog_of(table))
    for partition in range(PARTITIONS):
        held, records = kept.held.of(partition), broker.records[kept.changelog, partition]
        held.recover([dict(records[held.following :])], len(records))
    return kept


def haunt(broker: Broker, rng: random.Random) -> None:
    """A worker that does not know yet that its partitions have moved writes again what it wrote long ago."""
    for topic in topics.PASSED_ON_TOPICS:
        for partition in range(PARTITIONS):
            records = broker.records[topic, partition]
            records += rng.sample(records, rng.randint(0, len(records) // 2))


class Process:
    """A worker that owns all partitions, from its start to its death; `kept` histories at most."""

    def __init__(self, broker: Broker, config: StreamConfig, kept: int) -> None:
        self.broker = broker
        stages = build_stages(config, decode_single_object, lambda name: recovered(broker, name, config))
        for stage in stages:
            if isinstance(stage, Customers | Agents):
                stage.owners.most = kept
        writer: Any = broker
        self.processors = [Processor(config, stage, writer, lambda: 0) for stage in stages]
        forwarder = Forwarder(config, writer, decode_single_object, lambda: 0)
        self.handlers = {handler.source: handler for handler in (*self.processors, forwarder)}

    def close(self) -> None:
        """Its death, for what it has on disk."""
        for processor in self.processors:
            processor.stage.state.held.close()
            processor.stage.totals.held.close()

    async def start(self) -> None:
        """What streams.app does once the tables are recovered."""
        for processor in self.processors:
            for partition in range(PARTITIONS):
                await finish_batch(processor, partition)

    def lagging(self, positions: dict[Where, int]) -> list[Where]:
        """Partitions with records that it has not applied."""
        return [
            (source, partition)
            for source in self.handlers
            for partition in range(PARTITIONS)
            if positions[source, partition] < len(self.broker.records[source, partition])
        ]

    async def step(self, rng: random.Random, positions: dict[Where, int], where: Where) -> None:
        """One batch of one partition."""
        batch = self.broker.fetch(
            where, positions[where], rng.choice((rng.randint(1, 4), rng.randint(1, 30)))
        )
        await self.handlers[where[0]].process(where[1], batch)
        positions[where] += len(batch)


async def run(rng: random.Random, broker: Broker, configs: Callable[[bool], StreamConfig]) -> int:
    """Work everything off, with crashes; their number. `configs` is told whether it is the last start."""
    committed: dict[Where, int] = defaultdict(int)
    crashes = starts = 0
    while True:
        starts += 1
        last = starts > STARTS
        broker.left = 10**9 if last else rng.choice([rng.randint(0, 60), rng.randint(0, 300)])
        process = Process(broker, configs(last), kept=rng.choice((1, 1_000)))
        positions = committed.copy()
        if last or rng.random() < 0.15:
            haunt(broker, rng)
        try:
            await process.start()
            while lagging := process.lagging(positions):
                await process.step(rng, positions, rng.choice(lagging))
                if rng.random() < 0.5:  # commits are less frequent than batches
                    committed = positions.copy()
            if last:
                return crashes
            # A restart without a crash, and all that comes again after one, must change nothing.
            committed = rng.choice((positions, defaultdict(int)))
        except Crash:
            crashes += 1
        finally:
            process.close()
