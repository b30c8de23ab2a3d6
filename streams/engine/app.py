"""The Faust application: an agent for each stage, two tables each, batches instead of single events."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.sensors import Monitor

from schemas import topics
from schemas.brokers import Security, security_of
from streams.commit.forwarder import Forwarder
from streams.commit.gathering import Gathering
from streams.commit.lanes import Lanes
from streams.commit.processor import Processor
from streams.config import PASSED_ON_REST_S, StreamConfig
from streams.engine.batching import Assignor, BatchScheduler, BatchSchema
from streams.engine.partitions import add_assignment, add_endings, add_fence, add_recovery
from streams.engine.shutdown import Ending
from streams.engine.tables import FAUST_STORE, BulkTables
from streams.health.health import Health
from streams.health.metrics import Metrics
from streams.kafka.decoding import Wire
from streams.kafka.fenced_writer import FencedWriter
from streams.kafka.schema_lookup import SchemaLookup
from streams.kafka.tls import tls_context
from streams.stages.build import build_stages
from streams.state.disk import partitions_of
from streams.state.table import Table

log = structlog.get_logger()
# Batches of one partition waiting for the agent: enough to keep it busy, few enough to bound memory.
BUFFERED_BATCHES = 4
# The least that brokers allow by default is 6 s.
SESSION_TIMEOUT_S = 8.0
NUDGE_EVERY_S = 2.0
# A worker that waits for the schema registry polls nothing, and nothing is wrong: for so long it keeps its
# partitions (then they move and come back). One whose loop hangs keeps them as long: /health tells.
POLL_LIMIT_S = 3600.0


class Handler(Protocol):
    """What reads a topic: a stage's processor, or the forwarder."""

    topic: str
    lanes: Lanes

    async def process(self, partition: int, fetched: Sequence[Any]) -> object:
        """Apply a batch; everything it changes is acknowledged on return."""


class WorkerApp(faust.App):  # type: ignore[misc]  # faust is untyped to us
    """Faust's app, which knows how its worker ends, and the brokers as all our clients do."""

    ending: Ending
    brokers: str


def build_app(config: StreamConfig, wire: Wire, health: Health) -> WorkerApp:
    """A worker's Faust app, wired but not started."""
    app = WorkerApp(
        topics.APP_ID,
        broker=f"batched://{config.bootstrap_servers}",
        broker_credentials=credentials(security_of(config.bootstrap_servers)),
        store=FAUST_STORE,
        recovery_consistency_check=False,  # streams.state.changelog drops what Faust would stop for
        datadir=str(config.state_dir),
        ConsumerScheduler=BatchScheduler,
        PartitionAssignor=Assignor,
        Monitor=monitor_of(health.metrics),
        TableManager=BulkTables,
        topic_partitions=config.partitions,
        topic_replication_factor=config.replication,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_buffer_maxsize=BUFFERED_BATCHES,
        broker_max_poll_records=config.batch_max_records,
        consumer_auto_offset_reset="earliest",
        # How long the partitions of a worker that was killed wait for their next owner.
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_max_poll_interval=POLL_LIMIT_S,
        broker_heartbeat_interval=SESSION_TIMEOUT_S / 4,
        # Short, so that a restarted worker repeats little and `import` learns soon that all is applied.
        broker_commit_interval=0.5,
        table_standby_replicas=0,
    )
    app.brokers = config.bootstrap_servers
    writer = FencedWriter(config.bootstrap_servers)
    stages = build_stages(config, wire, lambda name: make_table(app, name, config))
    processors = [Processor(config, stage, writer, now_ms, health.metrics) for stage in stages]
    forwarder = Forwarder(config, writer, wire.decode, now_ms, health.metrics)
    handlers: list[Handler] = [*processors, forwarder]
    ending = app.ending = Ending(health, [handler.lanes for handler in handlers])
    lookup = SchemaLookup(wire.registry, health.waiting)
    for handler in handlers:
        add_agent(app, handler, ending, lookup, config.batch_max_records)
    add_nudge(app, handlers, health)
    add_fence(app, writer, ending)
    publishers = [*(processor.publisher for processor in processors), forwarder.publisher]
    add_recovery(app, processors, publishers, ending)
    add_endings(app, processors, writer, ending)
    add_assignment(app, writer, health)
    return app


def credentials(security: Security) -> Any:
    """How Faust's own clients connect; None in plain text."""
    context = tls_context(security)
    if not security.sasl:
        return context and faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=security.username,
        password=security.password,
        mechanism=security.mechanism,
        ssl_context=context,
    )


def monitor_of(metrics: Metrics) -> type:
    """Faust's own monitor, which is told of every commit that had offsets in it."""

    class Commits(Monitor):  # type: ignore[misc]
        """Counts commits."""

        def on_tp_commit(self, tp_offsets: Any) -> None:
            """Offsets were committed."""
            metrics.commits.inc()
            super().on_tp_commit(tp_offsets)

    return Commits


def now_ms() -> int:
    """Wall clock, for people who read dead letters."""
    return time.time_ns() // 1_000_000


def make_table(app: faust.App, name: str, config: StreamConfig) -> Table:
    """A Faust table with our store. We write its changelog ourselves (streams.kafka.writer)."""
    table = Table(partitions_of(config, name), topics.changelog_of(name))
    app.Table(name, partitions=config.partitions, options={"partitions": table.partitions})
    return table


def add_agent(
    app: faust.App, handler: Handler, ending: Ending, lookup: SchemaLookup, most_records: int
) -> None:
    """An agent. It acknowledges a batch itself, after everything it changed is safe."""
    topic = app.topic(handler.topic, schema=BatchSchema(), value_type=bytes)
    raw = handler.topic in topics.RAW_TOPICS

    @app.agent(topic, concurrency=1, name=handler.topic)  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        # noack: Faust would acknowledge a batch whose handler raised, and its events would be skipped.
        async for event in stream.noack().events():
            if handler.lanes.closed:
                return
            batch, message, tp = event.value, event.message, event.message.tp
            try:
                if raw and not await decodable(app.consumer, message, lookup):
                    continue
            except Exception as error:
                ending.fail(error)
                return
            if not await app.consumer.in_sequence(tp, batch[0].offset, batch[-1].offset):
                app.consumer.release(message)
                log.warning(
                    "batch out of turn, fetched again",
                    topic=tp.topic,
                    partition=tp.partition,
                    offset=batch[0].offset,
                )
                continue
            await gathering.add(tp.partition, event)

    async def apply(events: Sequence[Any]) -> None:
        """Batches of a partition as one. Where it fails nothing that comes behind is applied."""
        batch, tp = [record for event in events for record in event.value], events[0].message.tp
        if handler.lanes.closed:
            return
        try:
            await handler.process(tp.partition, batch)
        except Exception as error:
            ending.fail(error)
            return
        for event in events:
            event.ack()
        ending.health.positions.done(tp.topic, tp.partition, batch[-1].offset + 1, batch[-1].timestamp)

    gathering = Gathering(handler.lanes, apply, 0.0 if raw else PASSED_ON_REST_S, most_records)


async def decodable(consumer: Any, message: Any, lookup: SchemaLookup) -> bool:
    """Wait until all schemas are here that a batch needs. Raises RegistryRefused.

    False: partitions have moved meanwhile, or the worker stops. The batch comes again if it is still ours.
    """
    missing = lookup.missing(record.value for record in message.value)
    if missing:
        consumer.release(message)
        await lookup.fetch(missing)
        if not consumer.flow_active:
            return False
        consumer.hold(message)
    return True


def add_nudge(app: faust.App, handlers: Sequence[Handler], health: Health) -> None:
    """Now and then look whether a partition stands still without a reason."""

    @app.timer(NUDGE_EVERY_S)  # type: ignore[untyped-decorator]
    async def nudge() -> None:
        if health.waits:
            return
        busy = any(handler.lanes.busy for handler in handlers)
        with suppress(KafkaError):  # a broker that is away; there is a next time
            await app.consumer.nudge(busy)
