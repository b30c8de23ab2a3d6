"""The ceiling: what the Kafka client alone costs, and with decoding. No Python worker can be cheaper."""

import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.counted import share
from bench.events import load
from bench.meter import Stopwatch
from schemas.topics import CONTACT_EVENTS
from streams.config import StreamConfig
from streams.kafka.decoding import decode_single_object

CONFIG = StreamConfig()


async def read(consumer: AIOKafkaConsumer, expected: int, decoding: bool) -> int:
    """Fetch, and perhaps decode, until all has been read."""
    count = 0
    while count < expected:
        fetched = await consumer.getmany(timeout_ms=500, max_records=CONFIG.batch_max_records)
        for records in fetched.values():
            count += len(records)
            if decoding:
                for record in records:
                    decode_single_object(record.value)
    return count


async def main(folder: Path, servers: str, decoding: bool) -> None:
    """Read the topic that the worker reads."""
    expected = len(load(folder).messages)
    tps = [TopicPartition(CONTACT_EVENTS, number) for number in range(CONFIG.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        with Stopwatch() as used:
            count = await read(consumer, expected, decoding)
    used.report(count, share(count, expected, "records"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], "decode" in sys.argv[3:]))
