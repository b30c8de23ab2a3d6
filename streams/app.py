"""The Faust application: one agent over contact-events, two tables, batches instead of single events."""

import time
from contextlib import suppress
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from streams import readiness, topics
from streams.apply import Decode
from streams.batching import Assignor, BatchScheduler, BatchSchema
from streams.config import StreamConfig
from streams.processor import Processor
from streams.recovery import finish_batch
from streams.writer import BatchWriter

log = structlog.get_logger()
# Batches of one partition waiting for the agent: enough to keep it busy, few enough to bound memory.
BUFFERED_BATCHES = 4
# The least that brokers allow by default is 6 s.
SESSION_TIMEOUT_S = 8.0
NUDGE_EVERY_S = 2.0


def build_app(config: StreamConfig, decode: Decode) -> faust.App:
    """A worker's Faust app, wired but not started. `decode` turns wire bytes into an event."""
    app = faust.App(
        topics.APP_ID,
        broker=f"batched://{config.bootstrap_servers}",
        store="memory://",
        datadir=str(config.state_dir),
        ConsumerScheduler=BatchScheduler,
        PartitionAssignor=Assignor,
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
        broker_heartbeat_interval=SESSION_TIMEOUT_S / 4,
        # Short, so that a restarted worker repeats little and `import` learns soon that all is applied.
        broker_commit_interval=0.5,
        table_standby_replicas=0,
    )
    processor = Processor(
        config,
        contacts=table(app, topics.CONTACTS_TABLE, config.partitions),
        windows=table(app, topics.WINDOWS_TABLE, config.partitions),
        writer=BatchWriter(config.bootstrap_servers),
        decode=decode,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    add_agent(app, processor)
    add_nudge(app)
    add_life_cycle(app, processor)
    return app


def table(app: faust.App, name: str, partitions: int) -> Any:
    """A plain Faust table of bytes. We write its changelog ourselves, in record batches (streams.writer)."""
    raw = faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    return app.Table(name, partitions=partitions, schema=raw, key_type=bytes, value_type=bytes)


def add_agent(app: faust.App, processor: Processor) -> None:
    """The contact agent. It acknowledges a batch itself, after everything it changed is safe."""
    events = app.topic(topics.CONTACT_EVENTS, schema=BatchSchema(), value_type=bytes)

    @app.agent(events, concurrency=1, name="contacts")  # type: ignore[untyped-decorator]
    async def contacts(stream: Any) -> None:
        # noack: Faust would acknowledge a batch whose handler raised, and its events would be skipped.
        async for event in stream.noack().events():
            if processor.closed:
                return
            batch, tp = event.value, event.message.tp
            if not await app.consumer.in_sequence(tp, batch[0].offset, batch[-1].offset):
                log.warning(
                    "batch out of turn, fetched again", partition=tp.partition, offset=batch[0].offset
                )
                continue
            try:
                await processor.process(tp.partition, batch)
            except Exception as error:
                log.error("worker stops", error=str(error), kind=type(error).__name__)
                await app.crash(error)
                raise
            event.ack()


def add_nudge(app: faust.App) -> None:
    """Now and then look whether a partition stands still without a reason."""

    @app.timer(NUDGE_EVERY_S)  # type: ignore[untyped-decorator]
    async def nudge() -> None:
        with suppress(KafkaError):  # a broker that is away; there is a next time
            await app.consumer.nudge()


def add_life_cycle(app: faust.App, processor: Processor) -> None:
    """Finish a cut-short batch after recovery, let one end before partitions move, close the writer last."""

    async def recovered() -> None:
        partitions = assigned_partitions(app)
        try:
            for partition in partitions:
                await finish_batch(processor, partition)
        except Exception as error:  # Faust swallows what a recovery callback raises
            log.error("worker stops", error=str(error), kind=type(error).__name__)
            await app.crash(error)
            raise
        readiness.mark(True)
        log.info("worker ready", partitions=partitions, contacts=len(processor.contacts.data))

    processor.windows.on_recover(recovered)

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def let_batch_end(app: Any, revoked: set[TP], **kwargs: Any) -> None:
        async with processor.lock:  # the batch in progress ends before another worker reads our changelog
            pass

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def close(app: Any, **kwargs: Any) -> None:
        await processor.close()


def assigned_partitions(app: faust.App) -> list[int]:
    """Partitions of contact-events that this worker owns."""
    return sorted(tp.partition for tp in app.consumer.assignment() if tp.topic == topics.CONTACT_EVENTS)
