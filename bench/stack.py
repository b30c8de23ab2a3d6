"""A Kafka and a ClickHouse of the benchmark's own: in a temporary folder, on free ports, gone afterwards."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer

from bench.events import Message
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from schemas.topics import CONTACT_EVENTS
from streams.kafka.topics import ensure_topics

PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs, and where."""

    folder: Path
    kafka: LocalKafka
    clickhouse: LocalClickHouse
    partitions: int = PARTITIONS

    @property
    def servers(self) -> str:
        """Kafka's address."""
        return self.kafka.bootstrap_servers

    @property
    def clickhouse_url(self) -> str:
        """ClickHouse's address with the database."""
        return self.clickhouse.address


@contextmanager
def stack(partitions: int = PARTITIONS) -> Iterator[Stack]:
    """Both servers, started, with all topics."""
    configured = os.environ.get("RINGBACK_CACHE_DIR")
    cache = Path(configured) if configured else default_cache_dir()
    runtime = ensure_runtime(cache, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    with TemporaryDirectory(prefix="ringback-bench-") as name:
        folder = Path(name)
        kafka, clickhouse = LocalKafka(folder, free_port(), runtime), LocalClickHouse(folder, free_port())
        parts = Stack(folder, kafka, clickhouse, partitions)
        try:
            parts.kafka.start()
            parts.clickhouse.start()
            asyncio.run(ensure_topics(parts.servers, partitions, 1))
            yield parts
        finally:
            parts.clickhouse.stop()
            parts.kafka.stop()


async def produce(servers: str, messages: Sequence[Message]) -> None:
    """Write events to contact-events, in order per contact."""
    async with AIOKafkaProducer(
        bootstrap_servers=servers,
        enable_idempotence=True,
        linger_ms=20,
        max_batch_size=256 * 1024,
        compression_type="lz4",
    ) as producer:
        for message in messages:
            await producer.send(CONTACT_EVENTS, key=message.key, value=message.value)
        await producer.flush()
