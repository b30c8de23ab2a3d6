"""Passes agents' state events on to agent-activity, where their sessions are as well. Keeps no state."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.codec import DecodeError
from schemas.events import AgentStateChanged
from schemas.topics import AGENT_EVENTS
from streams.commit.lanes import Lanes
from streams.commit.processor import records_of
from streams.commit.publisher import Publisher
from streams.config import StreamConfig
from streams.health.metrics import Metrics, TopicMetrics
from streams.kafka.decoding import sifted
from streams.kafka.record import Decode, Record, RefusedRecord
from streams.kafka.writer import BatchWriter
from streams.stages.forwards import state_output
from streams.stages.stage import Output


def read_state(record: Record, decode: Decode) -> tuple[AgentStateChanged, bytes]:
    """The agent event in a record, and its canonical bytes. Raises DecodeError."""
    if record.value is None:
        raise DecodeError("empty", "the record has no value")
    event, canonical = decode(record.value)
    if not isinstance(event, AgentStateChanged):
        raise DecodeError("wrong_topic", f"{event.type} has a topic of its own")
    if record.key != event.agent.encode():
        raise DecodeError("wrong_key", "the record's key is not its agent; key agent events by agent")
    return event, canonical


def forward(
    records: Iterable[Record], decode: Decode, partitions: int
) -> tuple[list[Output], list[RefusedRecord]]:
    """Records for agent-activity, and what was refused."""
    found, refused = sifted(records, lambda record: read_state(record, decode))
    outputs = [state_output(event.agent, event.event_id, raw, partitions) for event, raw in found]
    return outputs, refused


class Forwarder:
    """Reads agent-events. What is passed on twice is one item of the agent stage, so a crash does no harm."""

    topic = AGENT_EVENTS

    def __init__(
        self,
        config: StreamConfig,
        writer: BatchWriter,
        decode: Decode,
        now_ms: Callable[[], int],
        metrics: Metrics | None = None,
    ) -> None:
        self.partitions = config.partitions
        self.decode = decode
        self.publisher = Publisher(config, self.topic, writer, now_ms)
        self.metrics = TopicMetrics(metrics or Metrics(), self.topic)
        self.lanes = Lanes()

    async def process(self, partition: int, fetched: Sequence[Any]) -> None:
        """Pass one partition's fetched records on; returns when all are acknowledged."""
        records = records_of(fetched)
        async with self.lanes.of(partition):
            with self.metrics.applying.time():
                outputs, refused = forward(records, self.decode, self.partitions)
            self.publisher.count(len(records), refused)
            with self.metrics.outputs.time():
                await self.publisher.publish(outputs, partition, refused)
        self.metrics.batch(len(records), len(outputs), refused)
