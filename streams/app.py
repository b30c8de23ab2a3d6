"""The Faust application: an agent for each stage, two tables each, batches instead of single events."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.sensors import Monitor
from faust.tables.recovery import ServiceStopped
from faust.types import TP

from streams import readiness, topics
from streams.batching import Assignor, BatchScheduler, BatchSchema
from streams.bulk import BulkTables
from streams.config import StreamConfig
from streams.decoding import Wire
from streams.disk import held_by
from streams.ending import Ending
from streams.fence import KEEP_EVERY_S, FencedWriter
from streams.forwarder import Forwarder
from streams.garbage import collect_rarely
from streams.health import MOVING, READY, RECOVERING, STOPPING, Health
from streams.lanes import Lanes
from streams.metrics import Metrics
from streams.processor import Processor
from streams.recovery import finish_batch
from streams.schema_lookup import SchemaLookup
from streams.stage import Kept
from streams.stages import build_stages
from streams.store import FAUST_STORE

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

    source: str
    lanes: Lanes

    async def process(self, partition: int, fetched: Sequence[Any]) -> object:
        """Apply a batch; everything it changes is acknowledged on return."""


def build_app(config: StreamConfig, wire: Wire, health: Health) -> faust.App:
    """A worker's Faust app, wired but not started."""
    app = faust.App(
        topics.APP_ID,
        broker=f"batched://{config.bootstrap_servers}",
        store=FAUST_STORE,
        recovery_consistency_check=False,  # streams.bulk drops what Faust would stop for
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
    writer = FencedWriter(config.bootstrap_servers)
    stages = build_stages(config, wire.decode, lambda name: table(app, name, config))
    processors = [Processor(config, stage, writer, now_ms, health.metrics) for stage in stages]
    handlers: list[Handler] = [*processors, Forwarder(config, writer, wire.decode, now_ms, health.metrics)]
    ending = app.ending = Ending(health, [handler.lanes for handler in handlers])
    lookup = SchemaLookup(wire.registry, health)
    for handler in handlers:
        add_agent(app, handler, ending, lookup)
    add_nudge(app, handlers, health)
    add_fence(app, writer, ending)
    add_recovery(app, processors, ending)
    add_endings(app, handlers, processors, writer, health)
    add_assignment(app, writer, health)
    return app


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


def table(app: faust.App, name: str, config: StreamConfig) -> Kept:
    """A Faust table with our store. We write its changelog ourselves, in record batches (streams.writer)."""
    kept = Kept(held_by(config, name), topics.changelog_of(name))
    app.Table(name, partitions=config.partitions, options={"held": kept.held})
    return kept


def add_agent(app: faust.App, handler: Handler, ending: Ending, lookup: SchemaLookup) -> None:
    """An agent. It acknowledges a batch itself, after everything it changed is safe."""
    topic = app.topic(handler.source, schema=BatchSchema(), value_type=bytes)
    raw = handler.source in topics.RAW_TOPICS

    @app.agent(topic, concurrency=1, name=handler.source)  # type: ignore[untyped-decorator]
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
            await handler.lanes.start(tp.partition, apply(event))

    async def apply(event: Any) -> None:
        """A batch. Where it fails nothing that comes behind is applied."""
        batch, tp = event.value, event.message.tp
        if handler.lanes.closed:
            return
        try:
            await handler.process(tp.partition, batch)
        except Exception as error:
            ending.fail(error)
            return
        event.ack()
        ending.health.positions.done(tp.topic, tp.partition, batch[-1].offset + 1, batch[-1].timestamp)


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


def add_fence(app: faust.App, writer: FencedWriter, ending: Ending) -> None:
    """Our changelogs are closed to whoever had them before, then read; and stay ours."""

    async def take_over(changelogs: set[TP]) -> None:
        try:
            await writer.take(changelogs)
        except Exception as error:
            ending.fail(error)
            raise ServiceStopped from error  # recovers no more

    @app.timer(KEEP_EVERY_S)  # type: ignore[untyped-decorator]
    async def keep() -> None:
        try:
            await writer.keep()
        except Exception as error:
            ending.fail(error)

    app.tables.take_over = take_over


def add_recovery(app: faust.App, processors: Sequence[Processor], ending: Ending) -> None:
    """Finish what was cut short once the tables are recovered, and before any batch."""
    health = ending.health

    async def recovered() -> None:
        partitions = assigned_partitions(app)
        try:
            for processor in processors:
                processor.stage.forget()  # the tables have become others
                for partition in partitions:
                    # Partitions do not move in the middle of this either.
                    async with processor.lanes.of(partition):
                        if partition in assigned_partitions(app) and not processor.lanes.closed:
                            await finish_batch(processor, partition)
        except Exception as error:  # Faust swallows what a recovery callback raises
            ending.fail(error)
            return
        collect_rarely()
        readiness.mark(True)
        held = {processor.source: processor.stage.state.records for processor in processors}
        for processor in processors:
            health.metrics.held(processor.stage.state)
            health.metrics.held(processor.stage.totals)
        health.become(READY, partitions=partitions, **{k.replace("-", "_"): v for k, v in held.items()})

    # The last table: Faust tells them in turn that they are recovered, and lets go what is no more theirs.
    app.tables[topics.QUARTERS_TABLE].on_recover(recovered)


def add_endings(
    app: faust.App,
    handlers: Sequence[Handler],
    processors: Sequence[Processor],
    writer: FencedWriter,
    health: Health,
) -> None:
    """Let batches end before partitions move; close the writer last."""

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def let_batches_end(app: Any, revoked: set[TP], **kwargs: Any) -> None:
        if health.state == READY:
            health.become(MOVING)
        health.revoked((tp.topic, tp.partition) for tp in revoked if tp.topic in topics.WORKER_TOPICS)
        for handler in handlers:
            await handler.lanes.empty()  # before another worker reads our changelog
        await writer.let_go()
        for processor in processors:
            processor.stage.forget()
            processor.stage.state.held.close()
            processor.stage.totals.held.close()

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def close(app: Any, **kwargs: Any) -> None:
        health.become(STOPPING)
        for handler in handlers:
            await handler.lanes.close()
        await writer.stop()


def add_assignment(app: faust.App, writer: FencedWriter, health: Health) -> None:
    """Tell of partitions that are assigned; they recover before anything else."""
    health.remaining = lambda: int(app.tables.recovery.active_remaining_total())

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def recover(app: Any, assigned: set[TP], **kwargs: Any) -> None:
        health.assigned((tp.topic, tp.partition) for tp in assigned if tp.topic in topics.WORKER_TOPICS)
        health.become(RECOVERING)
        writer.settled.set()


def assigned_partitions(app: faust.App) -> list[int]:
    """Partitions that this worker owns: of contact-events, and so of every topic that it reads."""
    return sorted(tp.partition for tp in app.consumer.assignment() if tp.topic == topics.CONTACT_EVENTS)
