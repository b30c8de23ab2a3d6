"""The sink: from Kafka into ClickHouse. Offsets are committed after ClickHouse has acknowledged the rows."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from schemas import topics
from schemas.codec import DecodeError
from schemas.events import AgentStateChanged, SourceHeartbeat
from sinks.clickhouse import ClickHouseSink, GivenUp, without_secret
from sinks.rows import (
    TableRow,
    agent_event_row,
    dead_letter_row,
    event_row,
    fact_rows,
    fcr_row,
    fcr_window_rows,
    heartbeat_row,
    quarter_row,
    window_row,
)
from streams import readiness
from streams.apply import Decode
from streams.batching import FETCH_WAIT_MS
from streams.config import StreamConfig
from streams.decoding import Wire
from streams.garbage import collect_rarely
from streams.health import READY, STARTING, STOPPING, Health
from streams.logs import quieten_libraries
from streams.schema_lookup import SchemaLookup
from streams.worker import wait_for_topics

log = structlog.get_logger()
GROUP = "ringback-sink"
RAW = (topics.CONTACT_EVENTS, topics.AGENT_EVENTS, topics.SOURCE_HEARTBEATS)
# Each of these records tells all that readers see under its key: of several in a batch one is enough.
LATEST: dict[str, Callable[[Any], Iterable[TableRow]]] = {
    topics.KPI_WINDOWS: lambda document: [("kpi_windows", window_row(document))],
    topics.FCR_FACTS: lambda document: [("fcr", fcr_row(document))],
    topics.FCR_WINDOWS: lambda document: [("fcr_windows", row) for row in fcr_window_rows(document)],
    topics.AGENT_QUARTERS: lambda document: [("agent_quarters", quarter_row(document))],
}
TOPICS = (*RAW, topics.CONTACT_FACTS, *LATEST, topics.DEAD_LETTERS)
BATCH_ROWS = 20_000
BATCH_AGE_S = 0.5
DAY_MS = 86_400_000


class Buffer:
    """Rows that wait to be written, and the offsets up to which they go."""

    def __init__(self, decode: Decode) -> None:
        self.decode = decode
        self.clear()

    def clear(self) -> None:
        """Forget everything: it was written, or will be fetched again."""
        self.tables: dict[str, list[Any]] = defaultdict(list)
        self.latest: dict[tuple[str, bytes], dict[str, Any]] = {}  # (topic, key) -> document
        self.positions: dict[TopicPartition, int] = {}
        self.stamps: dict[TopicPartition, int] = {}  # time of the last record, in ms
        self.since = time.monotonic()

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.tables.values()) + len(self.latest)

    def rows(self) -> dict[str, list[Any]]:
        """All rows by table."""
        tables = defaultdict(list, {table: list(rows) for table, rows in self.tables.items()})
        for (topic, _), document in self.latest.items():
            for table, row in LATEST[topic](document):
                tables[table].append(row)
        return tables

    def add(self, record: ConsumerRecord) -> None:
        """Turn one record into rows."""
        if not self.positions:
            self.since = time.monotonic()
        tp = TopicPartition(record.topic, record.partition)
        self.positions[tp], self.stamps[tp] = record.offset + 1, record.timestamp
        if record.value is None:
            return
        if record.topic in RAW:
            self.add_event(record)
        elif record.topic in LATEST:
            document = orjson.loads(record.value)
            where = record.topic, record.key
            known = self.latest.get(where)
            if known is None or known["version"] <= document["version"]:
                self.latest[where] = document
        elif record.topic == topics.CONTACT_FACTS:
            for table, row in fact_rows(orjson.loads(record.value)):
                self.tables[table].append(row)
        else:
            row = dead_letter_row(record.partition, record.offset, record.value)
            self.tables["dead_letters"].append(row)

    def add_event(self, record: ConsumerRecord) -> None:
        """A raw event, unless the worker refuses it too: then it comes back as a dead letter."""
        try:
            event, canonical = self.decode(record.value)
        except DecodeError as error:
            if record.topic == topics.SOURCE_HEARTBEATS:  # which the worker does not read
                log.warning("a heartbeat is unreadable", offset=record.offset, error=str(error))
            return
        if isinstance(event, SourceHeartbeat):
            if record.topic == topics.SOURCE_HEARTBEATS:
                self.tables["heartbeats"].append(heartbeat_row(event))
        elif isinstance(event, AgentStateChanged):
            if record.topic == topics.AGENT_EVENTS and record.key == event.agent.encode():
                self.tables["agent_events"].append(agent_event_row(event, canonical))
        elif record.topic == topics.CONTACT_EVENTS and record.key == event.contact_id.encode():
            self.tables["events"].append(event_row(event, canonical))

    def due(self) -> bool:
        """Large enough or old enough to be written?"""
        old = bool(self.positions) and time.monotonic() - self.since >= BATCH_AGE_S
        return len(self) >= BATCH_ROWS or old


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


async def flush(buffer: Buffer, consumer: AIOKafkaConsumer, sink: ClickHouseSink, health: Health) -> None:
    """Write what is buffered, then commit. Raises SinkRefused; waits while ClickHouse is away."""
    if not buffer.positions:
        return
    rows, positions, stamps = buffer.rows(), dict(buffer.positions), dict(buffer.stamps)
    started = time.monotonic()
    written = await asyncio.to_thread(sink.insert, rows)
    buffer.clear()
    try:
        await consumer.commit(positions)
    except (CommitFailedError, IllegalStateError) as error:
        # Our partitions moved while we wrote: their new owner writes the same rows again, which is no harm.
        log.warning("offsets not committed, rows will be sent again", error=type(error).__name__)
    else:
        health.metrics.commits.inc()
        for tp, following in positions.items():
            health.positions.done(tp.topic, tp.partition, following, stamps[tp])
    log.debug("written", rows=written, ms=round((time.monotonic() - started) * 1000))


async def copy(
    consumer: AIOKafkaConsumer, sink: ClickHouseSink, wire: Wire, stop: asyncio.Event, health: Health
) -> None:
    """Fetch, write and commit until `stop` is set. Raises SinkRefused, RegistryRefused."""
    buffer, lookup = Buffer(wire.decode), SchemaLookup(wire.registry, health)
    while not stop.is_set():
        fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH_ROWS)
        raw = (record.value for tp, records in fetched.items() if tp.topic in RAW for record in records)
        if missing := lookup.missing(raw):
            await flush(buffer, consumer, sink, health)  # what is here need not wait
            if not await unless(stop, lookup.fetch(missing)):
                return
        for records in fetched.values():
            for record in records:
                buffer.add(record)
        if buffer.due():
            await flush(buffer, consumer, sink, health)
    await flush(buffer, consumer, sink, health)


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
    readiness.mark(False)
    health.become(STARTING, kafka=config.bootstrap_servers, clickhouse=without_secret(sink.url))
    health.loop = asyncio.get_running_loop()
    quieten_libraries()
    try:
        await asyncio.to_thread(sink.prepare)
        if await unless(stop, wait_for_topics(config)):
            await consume(config, sink, wire, stop, health)
    except GivenUp as told:
        log.warning(str(told))


async def consume(
    config: StreamConfig, sink: ClickHouseSink, wire: Wire, stop: asyncio.Event, health: Health
) -> None:
    """Join the group and copy until `stop` is set. Raises as `run_sink`, and GivenUp."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.bootstrap_servers,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_interval_ms=DAY_MS,  # while ClickHouse is away nothing is polled, and nothing is wrong
        session_timeout_ms=8_000,
        heartbeat_interval_ms=2_000,
        fetch_max_bytes=16 * 1024 * 1024,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    consumer.subscribe(TOPICS, listener=Assignments(health))
    await consumer.start()
    collect_rarely()
    readiness.mark(True)
    health.become(READY, clickhouse=without_secret(sink.url))
    try:
        await copy(consumer, sink, wire, stop, health)
    finally:
        health.become(STOPPING)
        await consumer.stop()
