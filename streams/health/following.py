"""Is there a record between two offsets, or only what is none: a transaction's marker, or what it took back?

Offsets count these as well, and no group commits behind one that nothing follows: by offsets alone a group
that has done everything would never be at the end.
"""

import time
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

Where = tuple[str, int]  # topic, partition
LOOK_MS = 500
LOOK_LIMIT_S = 5.0


async def next_record(consumer: AIOKafkaConsumer, where: Where, start: int, end: int) -> int:
    """Offset of the first record in [start, end); `end` where there is none, `start` where nobody answers.

    The consumer reads committed records and belongs to no group; it has this partition afterwards, paused.
    """
    tp, deadline = TopicPartition(*where), time.monotonic() + LOOK_LIMIT_S
    consumer.assign([tp])
    try:
        consumer.seek(tp, start)
        while time.monotonic() < deadline:
            found = (await consumer.getmany(tp, timeout_ms=LOOK_MS, max_records=1)).get(tp)
            if found:
                return min(int(found[0].offset), end)
            if await consumer.position(tp) >= end:
                return end
    except KafkaError:
        return start
    finally:
        consumer.pause(tp)  # aiokafka's never stops once it has unsubscribed outside of a group
    return start


class Following:
    """Looks behind the offsets of a group, and remembers where it has found nothing."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._nothing: dict[Where, tuple[int, int]] = {}

    async def at_end(self, done: Mapping[Where, int], ends: Mapping[Where, int]) -> set[Where]:
        """Partitions in which no record lies between what is done and the end, although offsets do."""
        behind = [where for where, end in ends.items() if done.get(where, 0) < end]
        return {
            where for where in behind if await self._nothing_between(where, done.get(where, 0), ends[where])
        }

    async def _nothing_between(self, where: Where, start: int, end: int) -> bool:
        if self._nothing.get(where) == (start, end):
            return True
        if await next_record(self._consumer, where, start, end) < end:
            return False
        self._nothing[where] = start, end
        return True


def without(ends: Mapping[Where, int], done: Mapping[Where, int], even: Iterable[Where]) -> dict[Where, int]:
    """Ends, of which those of `even` partitions are what is done there: nothing is left to do."""
    return {**ends, **{where: done.get(where, 0) for where in even}}
