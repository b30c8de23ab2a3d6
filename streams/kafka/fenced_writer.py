"""Changelogs have one writer per partition: whoever took the partition last (ADR 0010).

A worker that hangs for longer than its session loses its partitions without knowing, wakes up, and goes on
with the batch it was writing. Kafka refuses its changelog records: they carry an older epoch of the
partition's producer id than that of the new owner, who has written with it before it read anything.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from schemas.topics import APP_ID, CHANGELOGS
from streams.kafka.record import RESERVED_PREFIX, KeyValue, OffsetSpan
from streams.kafka.writer import BatchWriter, connected

# A record that deletes what was never there: the tables do not see it, and compaction removes it.
FENCE: tuple[KeyValue, ...] = ((RESERVED_PREFIX + b"fence", None),)
# Kafka forgets a producer id that was not asked for in 7 days, and the epoch in a partition that was not
# written to in 1 day (transactional.id.expiration.ms, producer.id.expiration.ms).
KEEP_EVERY_S = 6 * 3600.0


class Fenced(RuntimeError):
    """Another worker has the partition."""

    def __init__(self, partition: int) -> None:
        super().__init__(
            f"another worker has taken over partition {partition} while this one hung or was cut off from "
            "Kafka for longer than its session; nothing is lost, start this one again"
        )


@dataclass(slots=True)
class Owned:
    """A partition's producer, and the last epoch of its producer id that was given to us."""

    producer: AIOKafkaProducer
    producer_id: int
    epoch: int


async def raised(bootstrap_servers: str, partition: int) -> Owned:
    """A producer under the next epoch of the partition's producer id.

    Kafka raises epochs for transactional ids only. We want no transactions: the id is taken away again, and
    what is left is an idempotent producer with this producer id and epoch.
    """
    producer = await connected(bootstrap_servers, f"{APP_ID}-{partition}")
    manager = producer._txn_manager
    manager.transactional_id = None
    return Owned(producer, manager.producer_id, manager.producer_epoch)


class FencedWriter(BatchWriter):
    """Writes outputs with one producer, and changelogs with one for each partition that was taken."""

    def __init__(self, bootstrap_servers: str) -> None:
        super().__init__(bootstrap_servers)
        self._owned: dict[int, Owned] = {}
        self._taking = asyncio.Lock()
        self.settled = asyncio.Event()  # it is known which partitions are ours
        self.settled.set()

    async def producer_of(self, topic: str, partition: int) -> AIOKafkaProducer:
        """What a partition is written with. Raises Fenced where a changelog was not taken."""
        if topic not in CHANGELOGS:
            return await super().producer_of(topic, partition)
        if partition not in self._owned:
            raise Fenced(partition)
        return self._owned[partition].producer

    async def write(self, topic: str, partition: int, records: Iterable[KeyValue]) -> OffsetSpan | None:
        """Write records in order and return when all are acknowledged. Raises Fenced, or what Kafka says."""
        try:
            return await super().write(topic, partition, records)
        except ProducerFenced as error:
            raise Fenced(partition) from error

    async def take(self, partitions: set[int]) -> None:
        """Be the only writer of these partitions, and of no others. No batch may be in progress."""
        async with self._taking:
            # A worker that is just losing a partition must not take it back from the next owner.
            await self.settled.wait()
            for partition in [*self._owned]:
                await self._stop(partition)
            await asyncio.gather(*(self._take(partition) for partition in partitions))

    async def _take(self, partition: int) -> None:
        self._owned[partition] = await raised(self._bootstrap_servers, partition)
        await self._fence(partition)

    async def _fence(self, partition: int) -> None:
        """Kafka refuses older epochs only where it has seen the new one."""
        await asyncio.gather(*(self.write(changelog, partition, FENCE) for changelog in CHANGELOGS))

    async def keep(self) -> None:
        """Remind Kafka of the partitions that we have. Raises Fenced where someone else has come between."""
        async with self._taking:
            if not self.settled.is_set():
                return
            for partition, owned in [*self._owned.items()]:
                asked = await raised(self._bootstrap_servers, partition)
                await asked.producer.stop()
                owned.epoch += 1
                if (asked.producer_id, asked.epoch) != (owned.producer_id, owned.epoch):
                    raise Fenced(partition)
                await self._fence(partition)

    async def let_go(self) -> None:
        """Partitions are about to move: take none until it is known which are ours."""
        self.settled.clear()
        async with self._taking:
            pass

    async def _stop(self, partition: int) -> None:
        with suppress(KafkaError):
            await self._owned.pop(partition).producer.stop()

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        for partition in [*self._owned]:
            await self._stop(partition)
        await super().stop()
