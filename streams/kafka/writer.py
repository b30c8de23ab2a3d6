"""Writes record batches and waits until the broker has them: nothing is committed before it is safe."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from streams.kafka.connecting import aiokafka_settings
from streams.kafka.patience import Notice, patiently
from streams.kafka.record import KeyValue, OffsetSpan

BATCH_BYTES = 512 * 1024
REQUEST_MAX_BYTES = 10 * 1024 * 1024
# How long a broker may be away before the worker stops (and is started again by whoever watches it).
REQUEST_TIMEOUT_MS = 120_000


async def connected(bootstrap_servers: str, transactional_id: str | None = None) -> AIOKafkaProducer:
    """A producer: acks=all, idempotent. A broker that is away is waited for as long as a request would be."""

    async def attempt() -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **aiokafka_settings(bootstrap_servers),
            acks="all",
            enable_idempotence=True,
            transactional_id=transactional_id,
            compression_type="zstd",  # a fifth of lz4's CPU, which aiokafka runs at level 9 (ADR 0016)
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_MAX_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    notice = Notice("waiting for Kafka to write to", "Kafka answers", servers=bootstrap_servers)
    return await patiently(attempt, KafkaConnectionError, notice, limit_s=REQUEST_TIMEOUT_MS / 1000)


async def send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Iterable[KeyValue]
) -> OffsetSpan | None:
    """Write records in order and return when all are acknowledged; raises what the broker refuses.

    Returns the offsets they have, if nobody else's are between them.
    """
    counts: list[int] = []
    pending: list[asyncio.Future[Any]] = []

    async def close(batch: Any) -> None:
        counts.append(batch.record_count())
        pending.append(await producer.send_batch(batch, topic, partition=partition))

    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is None:
            await close(batch)
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise ValueError(f"{topic}: a record of {len(value or b'')} bytes fits into no batch")
    if batch.record_count():
        await close(batch)
    # Gathered: where one is refused, what becomes of the others is heard as well.
    written = await asyncio.gather(*pending)
    return joined([(count, found.offset) for count, found in zip(counts, written, strict=True)])


def joined(sent: Sequence[tuple[int, int]]) -> OffsetSpan | None:
    """Offsets of record batches, by their sizes and first offsets; None where they do not join up."""
    following = None
    for count, first in sent:
        if first < 0 or following not in (None, first):  # -1: the broker had it already, and says no more
            return None
        following = first + count
    return None if following is None else (sent[0][1], following)


class BatchWriter:
    """Writes with one producer, in order per partition."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def producer_of(self, topic: str, partition: int) -> AIOKafkaProducer:
        """What a partition is written with; connects when first asked for."""
        async with self._starting:
            if self._producer is None:
                self._producer = await connected(self._bootstrap_servers)
        return self._producer

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def write(self, topic: str, partition: int, records: Iterable[KeyValue]) -> OffsetSpan | None:
        """Write records in order, as `send` does."""
        return await send(await self.producer_of(topic, partition), topic, partition, records)
