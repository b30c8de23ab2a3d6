"""Raw events into ClickHouse at speed: canonical bytes go as they are, the rest as the sink writes it.

What is no canonical event of today's schemas, or stands among such, goes the sink's own way, so the rows are
those that the sink would have written. What the sink leaves out is left out here as well: the worker has made
dead letters of it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
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
# What is inserted at once is of one type of event, since its statements are analysed each time, which costs
# tens of milliseconds. So much of all types together is held while it is gathered.
TYPE_BYTES = 32_000_000
HELD_BYTES = 100_000_000
WRITERS = 2  # at a time: one reads Avro on one core while the other one's rows are sorted and written
Ends = dict[tuple[str, int], int]  # (topic, partition) -> the offset behind the last one that was read


def load_topic(
    servers: str, sink: ClickHouseSink, wire: Wire, on_done: Callable[[int], None] = lambda _: None
) -> Ends:
    """Write what is in contact-events now; how far that is. Raises TopicUnreadable, SinkRefused.

    While ClickHouse takes batches in, the next one is read and wrapped.
    """
    count = 0
    with closing(consumer_of(servers)) as consumer:
        try:
            bounds = bounds_of(consumer, Asked((CONTACT_EVENTS,)))
        except KafkaException as error:
            raise TopicUnreadable(f"{CONTACT_EVENTS} cannot be read: {error.args[0].str()}") from None
        reached = {where: begin for where, (begin, _) in bounds.items()}
        read = batches(messages_of(consumer, bounds, reached, CONTACT_EVENTS))
        for written in side_by_side(read, lambda batch, number: write(sink, wire, batch, number)):
            on_done(count := count + written)
    return reached


def side_by_side(read: Iterable[RawBatch], work: Callable[[RawBatch, int], int]) -> Iterator[int]:
    """What `work` returns of each batch, as it is done. It runs in threads, each with a number of its own.

    One batch more than there are threads is taken, so that none waits for the next.
    """
    numbers, running = deque(range(WRITERS)), set[Future[int]]()

    def numbered(batch: RawBatch) -> int:
        number = numbers.popleft()
        try:
            return work(batch, number)
        finally:
            numbers.append(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        for batch in read:
            running.add(pool.submit(numbered, batch))
            while len(running) > WRITERS:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield sum(one.result() for one in done)
        for one in as_completed(running):
            yield one.result()


def batches(pieces: Iterable[list[Any]]) -> Iterator[RawBatch]:
    """Records of a topic, many of one type at a time."""
    held = RawBatch()
    for messages in pieces:
        held.add(
            (CONTACT_EVENTS, m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value())
            for m in messages
        )
        while (most := largest(held)) and (
            held.sizes[most] >= TYPE_BYTES or held.sizes.total() >= HELD_BYTES
        ):
            yield held.split(most)
        if len(held.others) >= BATCH_ROWS:
            yield RawBatch(others=held.others)
            held.others = []
    while most := largest(held):
        yield held.split(most)
    if held.others:
        yield held


def largest(batch: RawBatch) -> str | None:
    """The type that most bytes are of; None where there is none."""
    return max(batch.sizes, key=batch.sizes.__getitem__, default=None)


def write(sink: ClickHouseSink, wire: Wire, batch: RawBatch, writer: int = 0) -> int:
    """Write a batch; how many records it has. Raises SinkRefused, RegistryUnreachable."""
    others = write_canonical(sink, batch, writer)
    learn(wire, [record.value for record in others])
    for begin in range(0, len(others), BATCH_ROWS):
        write_slowly(sink, wire, others[begin : begin + BATCH_ROWS])
    return batch.count


def write_canonical(sink: ClickHouseSink, batch: RawBatch, writer: int) -> list[RawRecord]:
    """Write what is canonical, by types; the others."""
    others, table = [*batch.others], staging(writer)
    for type_, blocks in batch.blocks.items():
        onwards = {
            "events": insert_events(type_, EVENT_COLUMNS, table),
            "arrivals": insert_arrivals(type_, ARRIVAL_COLUMNS, table),
        }
        try:
            sink.insert_as_it_is(table, container(type_, blocks), create_staging(type_, table), onwards)
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
