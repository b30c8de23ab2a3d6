"""Asks Kafka what a recovered state is held against: ends of logs, committed offsets, what was told."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import topics
from streams.commit.processor import Processor
from streams.commit.publisher import Publisher
from streams.health.group_lag import OffsetReader, Offsets
from streams.kafka.connecting import aiokafka_settings
from streams.stages.documents import OFFSET_BITS
from streams.state.damage import Fit, Log, fit
from streams.state.markers import marker_key, read_begun, read_done

log = structlog.get_logger()
# What a stage tells of its totals; the last record of a partition has the greatest epoch.
TOLD = {
    topics.CONTACT_EVENTS: topics.KPI_WINDOWS,
    topics.CUSTOMER_CONTACTS: topics.FCR_WINDOWS,
    topics.AGENT_ACTIVITY: topics.AGENT_QUARTERS,
}
LAST_RECORDS = 20
LAST_LETTERS = 2_000
POLL_MS = 500
READ_LIMIT_S = 10.0


class StateLost(RuntimeError):
    """State that cannot be made anew, because the log that it was made of does not begin at its beginning."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What Kafka said of partitions of all topics that a worker reads, and of what its stages tell."""

    begins: Offsets
    ends: Offsets
    committed: Offsets


async def ask(servers: str, partitions: Iterable[int]) -> Asked:
    """Ask. Raises aiokafka's errors."""
    numbers = [*partitions]
    where = [(topic, number) for topic in (*topics.WORKER_TOPICS, *TOLD.values()) for number in numbers]
    async with OffsetReader(servers) as watch:
        committed = await watch.committed(topics.WORKER_GROUP)
        return Asked(await watch.begins_of(where), await watch.ends_of(where), committed)


async def published_epoch(servers: str, where: tuple[str, int], asked: Asked) -> int | None:
    """The epoch of what was told last; None where nothing was."""
    if asked.begins[where] == asked.ends[where]:
        return None
    fetched = await last_values(servers, where, asked.begins[where], asked.ends[where], LAST_RECORDS)
    return max(map(epoch_in, fetched), default=0)


async def last_values(
    servers: str, where: tuple[str, int], begin: int, end: int, most: int
) -> list[bytes | None]:
    """Values of the last records of a partition, not more than `most`, first to last."""
    if begin >= end:
        return []
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(servers), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    tp, found, deadline = TopicPartition(*where), [], time.monotonic() + READ_LIMIT_S
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, max(end - most, begin))
        while await consumer.position(tp) < end and time.monotonic() < deadline:
            fetched = await consumer.getmany(tp, timeout_ms=POLL_MS)
            found += [record.value for record in fetched.get(tp, [])]
    finally:
        await consumer.stop()
    return found


async def remember_refused(publishers: Iterable[Publisher], servers: str, asked: Asked) -> None:
    """Caps on dead letters go on from what was counted before the restart, where that was not long ago."""
    where = (topics.DEAD_LETTERS, 0)
    async with OffsetReader(servers) as watch:
        begin, end = (await watch.begins_of([where]))[where], (await watch.ends_of([where]))[where]
    letters = [read_letter(v) for v in await last_values(servers, where, begin, end, LAST_LETTERS)]
    for publisher in publishers:
        for origin, position, recent in filter(None, reversed(letters)):
            topic, _, number = origin.rstrip("]").partition("[")
            if topic == publisher.topic and number.isdigit():
                if asked.committed.get((topic, int(number)), 0) - position <= publisher.limit.window:
                    publisher.limit.go_on_from(recent)
                break


def read_letter(value: bytes | None) -> tuple[str, int, tuple[int, int]] | None:
    """Origin, position and what was counted, in a worker's dead letter; None of any other."""
    try:
        document = orjson.loads(value or b"")
        seen, bad = document["recent"]
        return str(document["origin"]), int(document["position"]), (int(seen), int(bad))
    except (ValueError, TypeError, KeyError):
        return None


def epoch_in(value: bytes | None) -> int:
    """Epoch of a record that tells a total; 0 of what is none."""
    try:
        return int(orjson.loads(value or b"")["version"]) >> OFFSET_BITS
    except (ValueError, TypeError, KeyError):
        return 0


async def fit_of(processor: Processor, partition: int, asked: Asked) -> Fit:
    """Does what was recovered fit what Kafka has? Says so where it does not. Raises StateLost."""
    stage, key, where = processor.stage, marker_key(partition), (processor.topic, partition)
    begun = read_begun(stage.state.get(key, partition))
    done = read_done(stage.totals.get(key, partition))
    told = None
    if begun is None:
        told = await published_epoch(processor.config.bootstrap_servers, (TOLD[where[0]], partition), asked)
    span = Log(asked.begins[where], asked.ends[where], asked.committed.get(where, 0), told)
    found = fit(begun, done, span)
    if found.lost and span.begin > 0 and where[0] in topics.RAW_TOPICS:
        raise StateLost(
            f"{where[0]}[{partition}]: {found.damage}, and it cannot be made anew, because {where[0]} begins "
            f"at offset {span.begin:,}: what was before is deleted. Restore Kafka's data from a backup, or "
            "import everything again into new topics"
        )
    if found.damage:
        log.warning(
            "Kafka has lost data: all of it that is left is read and told anew",
            topic=where[0],
            partition=partition,
            why=found.damage,
            go_on=found.go_on,
        )
    return found
