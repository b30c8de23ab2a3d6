"""A stage's work on one batch: compute, then write, then remember - in the order that loses nothing.

1. the state changelog, behind the marker `begun`, is written and acknowledged: the events are safe;
2. then the outputs (facts, totals, what goes on to the next stage) and the dead letters;
3. then the changelog of totals, closed by the marker `done`;
4. then the batch is acknowledged to Faust, which may commit its offset.

Nothing is published before the state it comes from is safe, so no reader ever sees a number that a crash can
undo. A batch cut short between 1 and 3 is finished by streams.commit.unfinished: its events are in the state
already and would change nothing when they are delivered again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import structlog

from streams.commit.lanes import Lanes
from streams.commit.publisher import Publisher
from streams.config import StreamConfig
from streams.health.metrics import Metrics, TopicMetrics
from streams.kafka.record import Record
from streams.kafka.writer import BatchWriter
from streams.stages.documents import row_version
from streams.stages.stage import BatchWork, Output, Stage
from streams.state.markers import (
    Begun,
    Done,
    begun_bytes,
    done_bytes,
    marker_key,
    read_begun_epoch,
    read_done,
    rules_digest,
)
from streams.state.table import Table

log = structlog.get_logger()


def records_of(fetched: Sequence[Any]) -> list[Record]:
    """What we need to know of fetched Kafka records."""
    return [Record(record.offset, record.key, record.value) for record in fetched]


class Processor:
    """Applies a stage's batches, of each partition one at a time."""

    def __init__(
        self,
        config: StreamConfig,
        stage: Stage,
        writer: BatchWriter,
        now_ms: Callable[[], int],
        metrics: Metrics | None = None,
    ) -> None:
        self.config = config
        self.stage = stage
        self.topic = stage.topic
        self.writer = writer
        self.publisher = Publisher(config, stage.topic, writer, now_ms)
        self.metrics = TopicMetrics(metrics or Metrics(), stage.topic)
        self.rules = rules_digest(config.rules)
        self.lanes = Lanes()

    async def process(self, partition: int, fetched: Sequence[Any]) -> BatchWork:
        """Apply one partition's fetched records; returns when everything they change is acknowledged."""
        records = records_of(fetched)
        async with self.lanes.of(partition):
            try:
                epoch, offset = self.epoch_of(partition), records[-1].offset
                with self.metrics.applying.time():
                    work = self.stage.apply(partition, records, row_version(epoch, offset))
                self.publisher.count(len(records), work.refused)
                await self.write(partition, self.begin(epoch, offset, work), work)
            except BaseException:
                self.stage.forget()  # memory is ahead of what is safe
                raise
        self.metrics.batch(len(records), work.applied, work.refused, work.corrected)
        log.debug("batch", topic=self.topic, partition=partition, records=len(records), applied=work.applied)
        return work

    def begin(self, epoch: int, offset: int, work: BatchWork) -> Begun:
        """Marker of a batch."""
        empty = self.stage.restated(None, None)
        return Begun(epoch, offset, work.touched, totals=tuple(work.totals), empty=empty)

    async def write(self, partition: int, begun: Begun, work: BatchWork) -> None:
        """State, outputs and totals of a batch, in this order."""
        if not work.states:
            with self.metrics.outputs.time():
                await self.publisher.publish(work.outputs, partition, work.refused)
            return
        key, version = marker_key(partition), row_version(begun.epoch, begun.offset)
        with self.metrics.state.time():
            await self.store(self.stage.state, partition, [(key, begun_bytes(begun)), *work.states])
        outputs = chain(work.outputs, self.total_outputs(partition, work.totals, version))
        with self.metrics.outputs.time():
            await self.publisher.publish(outputs, partition, work.refused)
        done = Done(begun.batch, max(begun.offset, self.applied_of(partition)), self.rules)
        with self.metrics.totals.time():
            await self.store(self.stage.totals, partition, [*work.totals.items(), (key, done_bytes(done))])

    def total_outputs(self, partition: int, totals: Mapping[bytes, bytes], version: int) -> Iterable[Output]:
        """What readers are told of totals."""
        return (self.stage.total_output(partition, key, value, version) for key, value in totals.items())

    def epoch_of(self, partition: int) -> int:
        """Epoch of a partition's rows: of its last batch, or the configured one if that is greater."""
        begun = read_begun_epoch(self.stage.state.get(marker_key(partition), partition))
        return max(self.config.epoch, begun)

    def applied_of(self, partition: int) -> int:
        """Offset up to which every event of the partition is in the state; -1 before the first."""
        done = read_done(self.stage.totals.get(marker_key(partition), partition))
        return done.applied if done else -1

    async def store(self, kept: Table, partition: int, items: Sequence[tuple[bytes, bytes]]) -> None:
        """Write changelog records and, once they are acknowledged, set the same in the table."""
        kept.put(partition, items, await self.writer.write(kept.changelog, partition, items))
        self.metrics.all.table_size(kept)
