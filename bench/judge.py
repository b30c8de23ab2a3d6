"""The worker's customer and agent stages for its peers: one record at a time."""

from streams.kafka.record import Record
from streams.stages.documents import row_version
from streams.stages.stage import BatchWork, Stage


def judge(stage: Stage, partition: int, record: Record) -> BatchWork:
    """Let a stage do its work for one record; what it returns is for the peer to keep in its own way."""
    work = stage.apply(partition, [record], row_version(0, record.offset))
    stage.state.put(partition, work.states)
    stage.totals.put(partition, list(work.totals.items()))
    return work
