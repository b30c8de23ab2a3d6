"""Two workers on the simulated broker of tests/support/simulation.py: partitions move between them while they
work, one is killed, and one hangs in the middle of a batch, loses its partitions and goes on when it wakes.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from support import simulation
from support.simulation import Broker, Crash, Process, Where, deliver_again, haunt

from streams.config import StreamConfig
from streams.kafka.fenced_writer import Fenced

STARTS = 12  # with a crash to come, mostly; then one that works everything off


@dataclass(eq=False)
class Member:
    """A worker, and where it is in each partition."""

    process: Process
    positions: dict[Where, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Crew:
    """Workers of one group; `happened` counts what befell them."""

    rng: random.Random
    broker: Broker
    config: StreamConfig
    committed: dict[Where, int]
    happened: Counter[str]
    members: list[Member] = field(default_factory=list)

    def join(self) -> None:
        """A worker more; it has nothing until partitions move."""
        self.members.append(Member(Process(self.broker, self.config, self.rng.choice((1, 1_000)))))

    async def move(self, without: Member | None = None) -> None:
        """A rebalance: partitions to members anew, all go on from the committed offsets."""
        self.happened["moved"] += 1
        takers = [member for member in self.members if member is not without]
        for taker in takers:
            taker.process.partitions = set()
        split: dict[int, set[int]] = defaultdict(set)
        for partition in range(simulation.PARTITIONS):
            split[self.rng.randrange(len(takers))].add(partition)
        for number, taker in enumerate(takers):
            taker.positions = self.committed.copy()
            await taker.process.start(split[number])

    async def work(self) -> None:
        """Until nothing is left that is not applied. Raises Crash when all are killed at once."""
        for _ in range(2):
            self.join()
        await self.move()
        while lagging := [
            (member, where) for member in self.members for where in member.process.lagging(member.positions)
        ]:
            member, where = self.rng.choice(lagging)
            chance = self.rng.random()
            if chance < 0.05:
                await self.move()
            elif chance < 0.25:
                await self.hang(member, where)
            else:
                await self.step(member, where)

    async def step(self, member: Member, where: Where) -> None:
        """A batch; where the worker is killed in it, the other one takes over."""
        try:
            await member.process.step(self.rng, member.positions, where)
        except Crash:
            if self.rng.random() < 0.3:
                raise
            self.happened["killed"] += 1
            self.broker.left = self.rng.randint(0, 300)
            await self.replace(member)
            return
        self.commit(member)

    def commit(self, member: Member) -> None:
        """Offsets of what it has applied, now and then."""
        if self.rng.random() < 0.5:
            for partition in member.process.partitions:
                for source in member.process.handlers:
                    self.committed[source, partition] = member.positions[source, partition]

    async def replace(self, member: Member) -> None:
        """Another worker for one that has ended."""
        self.members.remove(member)
        member.process.close()
        self.join()
        await self.move()

    async def hang(self, member: Member, where: Where) -> None:
        """A worker hangs for longer than its session, and wakes up while another has its partitions."""
        writer = member.process.writer
        writer.hanging.clear()
        writer.woken.clear()
        writer.hangs_after = self.rng.choice((self.rng.randint(0, 5), self.rng.randint(0, 60)))
        batch = asyncio.create_task(member.process.step(self.rng, member.positions, where))
        hanging = asyncio.create_task(writer.hanging.wait())
        try:
            await asyncio.wait((batch, hanging), return_when=asyncio.FIRST_COMPLETED)
            writer.hangs_after = None
            if not batch.done():
                await self.taken_over(member, where)
            await batch
        except Fenced:
            self.happened["refused"] += 1
            await self.replace(member)
        else:
            if writer.hanging.is_set():  # all that it had left to write was outputs: it joins again
                await self.move()
        finally:
            for task in (batch, hanging):
                task.cancel()
            await asyncio.gather(batch, hanging, return_exceptions=True)

    async def taken_over(self, hangs: Member, stuck: Where) -> None:
        """The others get its partitions and work, mostly where it is stuck, before it wakes up and after."""
        await self.move(without=hangs)
        for before in (self.rng.randint(0, 8), self.rng.randint(0, 2)):
            for _ in range(before):
                others = [
                    (m, w) for m in self.members if m is not hangs for w in m.process.lagging(m.positions)
                ]
                here = [(member, where) for member, where in others if where == stuck]
                if others:
                    member, where = self.rng.choice(here if here and self.rng.random() < 0.7 else others)
                    await member.process.step(self.rng, member.positions, where)
                    self.commit(member)
            hangs.process.writer.woken.set()


async def run(rng: random.Random, broker: Broker, configs: Callable[[bool], StreamConfig]) -> Counter[str]:
    """Work everything off, with crashes; what happened. `configs` is told whether it is the last start."""
    committed: dict[Where, int] = defaultdict(int)
    happened: Counter[str] = Counter()
    starts = 0
    while True:
        starts += 1
        last = starts > STARTS
        broker.left = 10**9 if last else rng.choice([rng.randint(0, 60), rng.randint(0, 300)])
        if last or rng.random() < 0.15:
            haunt(broker, rng)
        if rng.random() < 0.02:
            deliver_again(broker)
        try:
            if rng.random() < 0.3:
                broker.left *= 3  # taking partitions over writes, too
                crew = Crew(rng, broker, configs(last), committed, happened)
                try:
                    await crew.work()
                finally:
                    for member in crew.members:
                        member.process.close()
            else:
                await alone(rng, broker, configs(last), committed)
            if last:
                return happened
            # A restart without a crash, and all that comes again after one, must change nothing.
            whole = rng.random() < 0.15
            for where, offset in committed.items():
                committed[where] = 0 if whole else rng.randint(offset // 2, offset)
        except Crash:
            happened["crashes"] += 1


async def alone(
    rng: random.Random, broker: Broker, config: StreamConfig, committed: dict[Where, int]
) -> None:
    """One worker, whose batches of different partitions overlap, until all is applied. Raises Crash."""
    process, positions = Process(broker, config, kept=rng.choice((1, 1_000))), committed.copy()
    try:
        await process.start()
        while lagging := process.lagging(positions):
            rng.shuffle(lagging)
            overlapping = {partition: (source, partition) for source, partition in lagging}
            steps = [process.step(rng, positions, where) for where in overlapping.values()]
            for failed in await asyncio.gather(*steps, return_exceptions=True):
                if isinstance(failed, BaseException):
                    raise failed
            if rng.random() < 0.5:  # commits are less frequent than batches
                committed.update(positions)
    finally:
        process.close()
