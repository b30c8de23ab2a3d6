"""Raw events into ClickHouse at speed: canonical bytes go as they are, the rest as the sink writes it.

What is no canonical event of today's schemas, or stands among such, goes the sink's own way, so the rows are
those that the sink would have written. What the sink leaves out is left out here as well: the worker has made
dead letters of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, cast

import structlog
from aiokafka import ConsumerRecord
from confluent_kafka import KafkaException

from maintenance.raw_container import RawBatch, RawRecord, container, unwrapped
from maintenance.topic import Asked, TopicUnreadable, bounds_of, consumer_of, learn, messages_of
from schemas.topics import CONTACT_EVENTS
from sinks.buffer import BATCH_ROWS, Buffer
from sinks.rows import ARRIVAL_COLUMNS, EVENT_COLUMNS
from sinks.writer import ClickHouseSink, SinkRefused
from sql.raw_inserts import create_staging, insert_arrivals, insert_events, staging
from streams.kafka.decoding import Wire

log = structlog.get_logger()
# What is inserted at once. Statements are analysed for each type of event in a batch, which costs some 10 ms
# each, so small batches cost more; of large ones two are in memory, one that is read and one that is written.
BATCH = 500_000
BATCH_BYTES = 160_000_000
Ends = dict[tuple[str, int], int]  # (topic, partition) -> the offset behind the last one that was read


def load_topic(
    servers: str, sink: ClickHouseSink, wire: Wire, on_done: Callable[[int], None] = lambda _: None
) -> Ends:
    """Write what is in contact-events now; how far that is. Raises TopicUnreadable, SinkRefused.

    While ClickHouse takes one batch in, the next one is read and wrapped.
    """
    count = 0
    with closing(consumer_of(servers)) as consumer, ThreadPoolExecutor(1) as pool:
        try:
            bounds = bounds_of(consumer, Asked((CONTACT_EVENTS,)))
        except KafkaException as error:
            raise TopicUnreadable(f"{CONTACT_EVENTS} cannot be read: {error.args[0].str()}") from None
        reached = {where: begin for where, (begin, _) in bounds.items()}
        writing: Future[int] | None = None
        for batch in batches(messages_of(consumer, bounds, reached, CONTACT_EVENTS)):
            if writing is not None:
                on_done(count := count + writing.result())
            writing = pool.submit(write, sink, wire, batch)
        if writing is not None:
            on_done(count + writing.result())
    return reached


def batches(pieces: Iterable[list[Any]]) -> Iterator[RawBatch]:
    """Records of a topic, many at a time."""
    batch = RawBatch()
    for messages in pieces:
        batch.add(
            (CONTACT_EVENTS, m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value())
            for m in messages
        )
        if batch.count >= BATCH or batch.size >= BATCH_BYTES:
            yield batch
            batch = RawBatch()
    if batch.count:
        yield batch


def write(sink: ClickHouseSink, wire: Wire, batch: RawBatch) -> int:
    """Write a batch; how many records it has. Raises SinkRefused, RegistryUnreachable."""
    others = write_canonical(sink, batch)
    learn(wire, [record.value for record in others])
    for begin in range(0, len(others), BATCH_ROWS):
        write_slowly(sink, wire, others[begin : begin + BATCH_ROWS])
    return batch.count


def write_canonical(sink: ClickHouseSink, batch: RawBatch) -> list[RawRecord]:
    """Write what is canonical, by types; the others."""
    others = [*batch.others]
    for type_, blocks in batch.blocks.items():
        onwards = {
            "events": insert_events(type_, EVENT_COLUMNS),
            "arrivals": insert_arrivals(type_, ARRIVAL_COLUMNS),
        }
        try:
            sink.insert_as_it_is(staging(type_), container(type_, blocks), create_staging(type_), onwards)
        except SinkRefused as error:  # of a row; what is refused for good is refused later too
            of_type, reason = [*unwrapped(blocks)], str(error)
            log.info("not all canonical, by the sink's way", type=type_, records=len(of_type), error=reason)
            others += of_type
    return others


def write_slowly(sink: ClickHouseSink, wire: Wire, records: Sequence[RawRecord]) -> None:
    """As the sink does. Raises SinkRefused."""
    buffer = Buffer(wire.decode)
    for record in records:
        buffer.add(cast(ConsumerRecord, record))
    sink.insert(buffer.rows())
