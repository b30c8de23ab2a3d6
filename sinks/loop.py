"""The sink: from Kafka into ClickHouse. Offsets are committed after ClickHouse has acknowledged the rows."""

import asyncio
import time
from collections.abc import Coroutine, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from schemas.forgotten import Ledger
from schemas.time_units import DAY_MS
from schemas.topics import SINK_GROUP, SINK_RAW_TOPICS, SINK_TOPICS
from sinks.binding import read_all_again
from sinks.buffer import BATCH_ROWS, Buffer
from sinks.connection import without_secret
from sinks.forgotten import ledger_documents, ledger_rows
from sinks.writer import ClickHouseSink, GivenUp
from sinks.writing import Writing
from streams.config import FETCH_MIN_BYTES, FETCH_WAIT_MS, StreamConfig
from streams.health import ready_file
from streams.health.garbage_collector import collect_rarely
from streams.health.health import READY, STARTING, STOPPING, Health
from streams.health.library_logs import quieten_libraries
from streams.kafka.connecting import aiokafka_settings
from streams.kafka.decoding import Wire
from streams.kafka.forgotten import forgetting, stored_ledger
from streams.kafka.identity import identity
from streams.kafka.patience import Notice, patiently
from streams.kafka.schema_lookup import SchemaLookup
from streams.kafka.topics import wait_for_topics

log = structlog.get_logger()


class Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells of partitions that come and go."""

    def __init__(self, health: Health) -> None:
        self.health = health

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """These and no others are ours."""
        self.health.assigned(tuple(tp) for tp in assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Another sink came or went."""
        self.health.revoked(tuple(tp) for tp in revoked)


async def copy(
    consumer: AIOKafkaConsumer, sink: ClickHouseSink, wire: Wire, stop: asyncio.Event, health: Health
) -> None:
    """Fetch, write and commit until `stop` is set. Raises SinkRefused, RegistryRefused, GivenUp."""
    buffer, lookup = Buffer(wire.decode, wire.forgotten), SchemaLookup(wire.registry, health.waiting)
    async with Writing(buffer, consumer, sink, health) as writing:
        while not stop.is_set():
            fetched = await consumer.getmany(timeout_ms=writing.patience_ms(), max_records=BATCH_ROWS)
            raw = (
                record.value
                for tp, records in fetched.items()
                if tp.topic in SINK_RAW_TOPICS
                for record in records
            )
            if missing := lookup.missing(raw):
                await writing.all()  # what is here need not wait
                if not await unless(stop, lookup.fetch(missing)):
                    return
            for records in fetched.values():
                for record in records:
                    buffer.add(record)
            await writing.what_is_due()
        await writing.all()


async def unless(stop: asyncio.Event, doing: Coroutine[None, None, object]) -> bool:
    """Do something to its end, unless `stop` is set before. Has it ended? Raises what it raises."""
    work, stopped = asyncio.create_task(doing), asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not work.done():
        work.cancel()
        return False
    await work
    return True


async def run_sink(
    config: StreamConfig, sink: ClickHouseSink, wire: Wire, stop: asyncio.Event, health: Health
) -> None:
    """Copy until `stop` is set. Raises SinkRefused, aiokafka's errors when Kafka is gone for good."""
    ready_file.mark(False)
    health.become(STARTING, kafka=config.bootstrap_servers, clickhouse=without_secret(sink.url))
    health.loop = asyncio.get_running_loop()
    quieten_libraries()
    try:
        await asyncio.to_thread(sink.prepare)
        if await unless(stop, belongs_together(config, sink)):
            ledger = await stored_ledger(config.bootstrap_servers)
            await asyncio.to_thread(keep_ledger, sink, ledger)
            await consume(config, sink, forgetting(wire, ledger), stop, health)
    except GivenUp as reason:
        log.warning(str(reason))


def keep_ledger(sink: ClickHouseSink, ledger: Ledger) -> None:
    """Keep a copy of who was forgotten. Raises SinkRefused, GivenUp."""
    if ledger:
        sink.insert({"forgotten": ledger_rows(ledger_documents(ledger), time.time_ns() // 1_000_000)})


async def belongs_together(config: StreamConfig, sink: ClickHouseSink) -> None:
    """Wait for Kafka; an empty ClickHouse is filled from the beginning. Raises SinkRefused."""
    servers = config.bootstrap_servers
    await wait_for_topics(servers, config.partitions, config.replication)
    notice = Notice("waiting for Kafka to say which one it is", "Kafka answers", servers=servers)
    kafka = await patiently(lambda: asyncio.to_thread(identity, servers), KafkaError, notice)
    if await asyncio.to_thread(sink.is_new, kafka):
        await read_all_again(servers)
    await asyncio.to_thread(sink.bind, kafka)


async def consume(
    config: StreamConfig, sink: ClickHouseSink, wire: Wire, stop: asyncio.Event, health: Health
) -> None:
    """Join the group and copy until `stop` is set. Raises as `run_sink`, and GivenUp."""
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(config.bootstrap_servers),
        group_id=SINK_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # as the worker: what a transaction took back was never sent
        max_poll_interval_ms=DAY_MS,  # while ClickHouse is away nothing is polled, and nothing is wrong
        session_timeout_ms=8_000,
        heartbeat_interval_ms=2_000,
        fetch_max_bytes=16 * 1024 * 1024,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        fetch_min_bytes=FETCH_MIN_BYTES,
    )
    consumer.subscribe(SINK_TOPICS, listener=Assignments(health))
    await consumer.start()
    collect_rarely()
    ready_file.mark(True)
    health.become(READY, clickhouse=without_secret(sink.url))
    try:
        await copy(consumer, sink, wire, stop, health)
    finally:
        health.become(STOPPING)
        await consumer.stop()
