"""A worker's own stages on a simulated broker that kills it: crashes between and inside any two writes,
re-delivery from an older commit, other batch boundaries every time, rules that change with a restart, and a
worker believed dead that repeats what it wrote long ago.

Real: stages, processors, forwarder, recovery, markers, fold, rows. Simulated: broker, tables, clock, crash.
Several workers at once are in tests/support/crew.py.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas import topics
from streams.commit.forwarder import Forwarder
from streams.commit.processor import Processor
from streams.commit.unfinished import finish_batch
from streams.config import StreamConfig
from streams.kafka.decoding import Wire, decode_single_object
from streams.kafka.fenced_writer import FENCE, Fenced
from streams.kafka.record import OffsetSpan, Record
from streams.kafka.writer import joined
from streams.stages.agents.stage import Agents
from streams.stages.build import build_stages
from streams.stages.contacts.stage import Contacts
from streams.stages.customers.stage import Customers
from streams.state.disk import partitions_of
from streams.state.table import Table

PARTITIONS = 2
Where = tuple[str, int]  # topic, partition


class Crash(Exception):
    """The process was killed."""


@dataclass
class Broker:
    """Topics as lists; kills the worker after so many more records, and refuses those of an older epoch."""

    records: dict[Where, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    left: int = 10**9
    epochs: dict[int, int] = field(default_factory=lambda: defaultdict(int))  # given to who takes a partition
    seen: dict[Where, int] = field(default_factory=lambda: defaultdict(int))

    def append(self, where: Where, record: tuple[bytes, bytes], epoch: int | None) -> int:
        """Add a record, its offset; of an epoch, where the partition is fenced. Raises Crash, Fenced."""
        if self.left <= 0:
            raise Crash
        if epoch is not None and epoch < self.seen[where]:
            raise Fenced(where[1])
        self.left -= 1
        if epoch is not None:
            self.seen[where] = epoch
        self.records[where].append(record)
        return len(self.records[where]) - 1

    def values(self, topic: str) -> list[bytes]:
        """Values of all partitions, in the order of each."""
        return [value for n in range(PARTITIONS) for _, value in self.records[topic, n]]

    def fetch(self, where: Where, begin: int, most: int) -> list[Record]:
        """Some records of a partition."""
        found = self.records[where][begin : begin + most]
        return [Record(begin + place, key, value) for place, (key, value) in enumerate(found)]


class Writer:
    """What FencedWriter is on Kafka: changelogs are written under the epoch of a partition, outputs freely.

    `hangs_after` so many more records the process stands still until `woken`.
    """

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.epochs: dict[int, int] = {}
        self.hangs_after: int | None = None
        self.hanging, self.woken = asyncio.Event(), asyncio.Event()

    async def take(self, partitions: Iterable[int]) -> None:
        """Raise the epochs, and write with them before anything is read."""
        self.epochs.clear()
        for partition in partitions:
            self.broker.epochs[partition] += 1
            self.epochs[partition] = self.broker.epochs[partition]
            for changelog in topics.CHANGELOGS:
                await self.write(changelog, partition, FENCE)

    async def write(
        self, topic: str, partition: int, records: Iterable[tuple[bytes, bytes]]
    ) -> OffsetSpan | None:
        await asyncio.sleep(0)
        written = []
        for record in records:
            if self.hangs_after is not None:
                self.hangs_after -= 1
                if self.hangs_after < 0:
                    self.hanging.set()
                    await self.woken.wait()
            epoch = self.epochs.get(partition, 0) if topic in topics.CHANGELOGS else None
            written.append((1, self.broker.append((topic, partition), record, epoch)))
            if self.broker.left % 3 == 0:
                await asyncio.sleep(0)  # writes to several topics overlap
        return joined(written)

    async def stop(self) -> None:
        pass


def recover(broker: Broker, kept: Table, partitions: Iterable[int]) -> None:
    """A table from what is on disk, if it is kept there, and the rest of its changelog."""
    kept.partitions.keep_only(set())
    for partition in partitions:
        held, records = kept.partitions.of(partition), broker.records[kept.changelog, partition]
        held.recover([dict(records[held.following :])], len(records))


def haunt(broker: Broker, rng: random.Random) -> None:
    """A worker that does not know yet that its partitions have moved writes again what it wrote long ago."""
    for topic in topics.PASSED_ON_TOPICS:
        for partition in range(PARTITIONS):
            records = broker.records[topic, partition]
            records += rng.sample(records, rng.randint(0, len(records) // 2))


def deliver_again(broker: Broker) -> None:
    """All that ever came from outside comes once more."""
    for topic in topics.RAW_TOPICS:
        for partition in range(PARTITIONS):
            records = broker.records[topic, partition]
            records += records[:]


def broken_clock() -> int:
    """A wall clock that jumps by years, back and forth: no number may depend on it."""
    return random.randrange(4_000_000_000_000)


class Process:
    """A worker from its start to its death; `kept` histories at most. Alone it owns all partitions."""

    def __init__(self, broker: Broker, config: StreamConfig, kept: int) -> None:
        self.broker = broker
        self.partitions: set[int] = set()
        stages = build_stages(
            config,
            Wire(decode_single_object),
            lambda name: Table(partitions_of(config, name), topics.changelog_of(name)),
        )
        for stage in stages:
            if isinstance(stage, Customers | Agents):
                stage.histories.most = kept
            elif isinstance(stage, Contacts):
                stage.recent.most = kept
        self.writer = Writer(broker)
        writer: Any = self.writer
        self.processors = [Processor(config, stage, writer, broken_clock) for stage in stages]
        forwarder = Forwarder(config, writer, decode_single_object, broken_clock)
        self.handlers = {handler.topic: handler for handler in (*self.processors, forwarder)}

    def close(self) -> None:
        """Its death, for what it has on disk."""
        for processor in self.processors:
            processor.stage.state.partitions.close()
            processor.stage.totals.partitions.close()

    async def start(self, partitions: Iterable[int] | None = None) -> None:
        """What streams.engine.app does when partitions are assigned: fence, recover, finish."""
        self.partitions = set(range(PARTITIONS) if partitions is None else partitions)
        await self.writer.take(self.partitions)
        for processor in self.processors:
            for kept in (processor.stage.state, processor.stage.totals):
                recover(self.broker, kept, self.partitions)
            processor.stage.forget()
        for processor in self.processors:
            for partition in self.partitions:
                await finish_batch(processor, partition)

    def lagging(self, positions: dict[Where, int]) -> list[Where]:
        """Partitions with records that it has not applied."""
        return [
            (source, partition)
            for source in self.handlers
            for partition in self.partitions
            if positions[source, partition] < len(self.broker.records[source, partition])
        ]

    async def step(self, rng: random.Random, positions: dict[Where, int], where: Where) -> None:
        """One batch of one partition."""
        batch = self.broker.fetch(
            where, positions[where], rng.choice((rng.randint(1, 4), rng.randint(1, 30)))
        )
        await self.handlers[where[0]].process(where[1], batch)
        positions[where] += len(batch)
