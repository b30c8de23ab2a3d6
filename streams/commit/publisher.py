"""Publishes what a batch puts out, and what it refused as dead letters."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from schemas.dead_letter import DeadLetter, dead_letter_record
from schemas.topics import DEAD_LETTERS
from streams.commit.dead_letter_limit import DeadLetterLimit
from streams.config import StreamConfig
from streams.health.sparing import SparingLog
from streams.kafka.record import CONTACT_FULL, KeyValue, RefusedRecord
from streams.kafka.writer import BatchWriter
from streams.stages.stage import Output


class Publisher:
    """Outputs and dead letters of what reads one topic."""

    def __init__(
        self, config: StreamConfig, topic: str, writer: BatchWriter, now_ms: Callable[[], int]
    ) -> None:
        self.topic = topic
        self.writer = writer
        self.now_ms = now_ms
        self.said = SparingLog()
        self.limit = DeadLetterLimit(config.dead_letter_window, config.dead_letter_max_share)

    def count(self, records: int, refused: Sequence[RefusedRecord]) -> None:
        """Count a batch against the cap. Raises TooManyDeadLetters."""
        bad = [item for item in refused if item.reason != CONTACT_FULL]
        example = f"{bad[-1].reason}: {bad[-1].detail}" if bad else ""
        self.limit.count(records, len(bad), example)

    async def publish(
        self, outputs: Iterable[Output], partition: int = 0, refused: Sequence[RefusedRecord] = ()
    ) -> None:
        """Write outputs and dead letters, in order within each partition; all acknowledged on return."""
        by_partition: defaultdict[tuple[str, int], list[KeyValue]] = defaultdict(list)
        for topic, number, record in outputs:
            by_partition[topic, number].append(record)
        if refused:
            by_partition[DEAD_LETTERS, 0].extend(self.dead_letters(partition, refused))
        await asyncio.gather(
            *(self.writer.write(topic, number, records) for (topic, number), records in by_partition.items())
        )

    def dead_letters(self, partition: int, refused: Sequence[RefusedRecord]) -> Iterator[KeyValue]:
        """Records for the dead-letter topic."""
        origin = f"{self.topic}[{partition}]"
        recent = self.limit.recent
        for item in refused:
            self.said.warning("dead letter", origin=origin, offset=item.offset, reason=item.reason)
            letter = DeadLetter(origin, item.offset, item.reason, item.detail, item.payload, recent)
            yield dead_letter_record(letter, self.now_ms())
