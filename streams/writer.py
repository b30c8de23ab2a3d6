"""Writes record batches and waits until the broker has them: nothing is committed before it is safe."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

BATCH_BYTES = 512 * 1024
REQUEST_MAX_BYTES = 10 * 1024 * 1024
# How long a broker may be away before the worker stops (and is started again by whoever watches it).
REQUEST_TIMEOUT_MS = 120_000
RETRY_S = 1.0

Span = tuple[int, int]  # offsets of the first record, and behind the last
KeyValue = tuple[bytes, bytes | None]


class BatchWriter:
    """Producer of changelog and output records: acks=all, idempotent, in order per partition."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._connected()
        return self._producer

    async def _connected(self) -> AIOKafkaProducer:
        """A producer; a broker that is away just now is waited for as long as a request would be."""
        deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                max_batch_size=BATCH_BYTES,
                max_request_size=REQUEST_MAX_BYTES,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            try:
                await producer.start()
            except KafkaConnectionError:
                await producer.stop()
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return producer

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def write(self, topic: str, partition: int, records: Iterable[KeyValue]) -> Span | None:
        """Write records in order and return when all are acknowledged; raises what the broker refuses.

        Returns the offsets they have, if nobody else's are between them.
        """
        producer = self._producer or await self._started()
        pending: list[tuple[int, asyncio.Future[Any]]] = []
        batch = producer.create_batch()
        for key, value in records:
            if batch.append(key=key, value=value, timestamp=None) is None:
                count = batch.record_count()
                pending.append((count, await producer.send_batch(batch, topic, partition=partition)))
                batch = producer.create_batch()
                if batch.append(key=key, value=value, timestamp=None) is None:
                    raise ValueError(f"{topic}: a record of {len(value or b'')} bytes fits into no batch")
        if batch.record_count():
            count = batch.record_count()
            pending.append((count, await producer.send_batch(batch, topic, partition=partition)))
        return joined([(count, (await future).offset) for count, future in pending])


def joined(sent: Sequence[tuple[int, int]]) -> Span | None:
    """Offsets of record batches, by their sizes and first offsets; None where they do not join up."""
    following = None
    for count, first in sent:
        if first < 0 or following not in (None, first):  # -1: the broker had it already, and says no more
            return None
        following = first + count
    return None if following is None else (sent[0][1], following)
