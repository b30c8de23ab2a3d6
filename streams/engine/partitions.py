"""A worker's life: its partitions come, are taken over, recovered and finished, and go again; and its end."""

from collections.abc import Sequence
from typing import Any

import faust
from faust.tables.recovery import ServiceStopped
from faust.types import TP

from schemas import topics
from streams.commit.processor import Processor
from streams.commit.publisher import Publisher
from streams.commit.rules_in_use import tell_rules
from streams.commit.unfinished import finish_batch
from streams.engine.log_check import Asked, ask, fit_of, remember_refused
from streams.engine.shutdown import Ending
from streams.health import ready_file
from streams.health.garbage_collector import collect_rarely
from streams.health.health import MOVING, READY, RECOVERING, STOPPING, Health
from streams.kafka.fenced_writer import KEEP_EVERY_S, FencedWriter


def add_fence(app: faust.App, writer: FencedWriter, ending: Ending) -> None:
    """Our changelogs are closed to whoever had them before, then read; and stay ours."""

    async def take_over(changelogs: set[TP]) -> None:
        try:
            await writer.take({tp.partition for tp in changelogs})
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


def add_recovery(
    app: faust.App, processors: Sequence[Processor], publishers: Sequence[Publisher], ending: Ending
) -> None:
    """Finish what was cut short once the tables are recovered, and before any batch."""
    health = ending.health

    async def finish(processor: Processor, partitions: Sequence[int], asked: Asked) -> None:
        processor.stage.forget()  # the tables have become others
        for partition in partitions:
            # Partitions do not move in the middle of this either.
            async with processor.lanes.of(partition):
                if partition in assigned_partitions(app) and not processor.lanes.closed:
                    found = await fit_of(processor, partition, asked)
                    app.consumer.go_on[TP(processor.topic, partition)] = found.go_on
                    await finish_batch(processor, partition, found)

    async def recovered() -> None:
        partitions = assigned_partitions(app)
        try:
            servers = processors[0].config.bootstrap_servers
            asked = await ask(servers, partitions)
            await remember_refused(publishers, servers, asked)
            app.consumer.go_on = shorter(asked)
            for processor in processors:
                await finish(processor, partitions, asked)
            await tell_rules(processors[0].writer, partitions, processors[0].config.rules)
        except Exception as error:  # Faust swallows what a recovery callback raises
            ending.fail(error)
            return
        collect_rarely()
        ready_file.mark(True)
        held = {processor.topic: processor.stage.state.records for processor in processors}
        for processor in processors:
            health.metrics.table_size(processor.stage.state)
            health.metrics.table_size(processor.stage.totals)
        health.become(READY, partitions=partitions, **{k.replace("-", "_"): v for k, v in held.items()})

    # The last table: Faust tells them in turn that they are recovered, and lets go what is no more theirs.
    app.tables[topics.QUARTERS_TABLE].on_recover(recovered)


def shorter(asked: Asked) -> dict[TP, int]:
    """Where to go on in agent-events, which no state is made of: at its beginning if it became shorter."""
    return {
        TP(topic, partition): asked.begins[topic, partition]
        for (topic, partition), end in asked.ends.items()
        if topic == topics.AGENT_EVENTS and asked.committed.get((topic, partition), 0) > end
    }


def add_endings(
    app: faust.App, processors: Sequence[Processor], writer: FencedWriter, ending: Ending
) -> None:
    """Let batches end before partitions move; close the writer last."""
    health = ending.health

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def let_batches_end(app: Any, revoked: set[TP], **kwargs: Any) -> None:
        if health.state == READY:
            health.become(MOVING)
        health.revoked((tp.topic, tp.partition) for tp in revoked if tp.topic in topics.WORKER_TOPICS)
        await ending.empty()  # before another worker reads our changelog
        await writer.let_go()
        for processor in processors:
            processor.stage.forget()
            processor.stage.state.partitions.close()
            processor.stage.totals.partitions.close()

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def close(app: Any, **kwargs: Any) -> None:
        health.become(STOPPING)
        await ending.begun_has_ended()
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
