"""What workers leave behind: the changelogs of every stage, written without a worker.

Simulated contacts go through the worker's own stages, whose tables are dictionaries here; what these come
to hold is written to the changelogs, each key once, and markers that say that every batch is done. The
topics that were read hold as many records, empty ones, and the group has committed them: a log that is
shorter than what was read of it is one that Kafka has lost, and all would be told anew. Left out are the
states of agents (`agent-events`), of which there are few. To fill faster, each record can be written
several times, under keys of their own: recovery looks into neither keys nor values.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import repeat

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.stack import PARTITIONS
from schemas.codec import encode
from schemas.placement import partition_of
from schemas.time_units import DAY_MS
from schemas.topics import CONTACT_EVENTS, WORKER_GROUP, changelog_of
from simulator.simulation import START_MS, Simulation
from streams.config import StreamConfig
from streams.kafka.decoding import Wire, decode_single_object
from streams.kafka.record import Record
from streams.kafka.writer import BatchWriter
from streams.stages.build import build_stages
from streams.stages.documents import row_version
from streams.stages.stage import Output, Stage
from streams.state.disk import partitions_of
from streams.state.markers import Begun, Done, begun_bytes, done_bytes, is_marker, marker_key, rules_digest
from streams.state.table import Table

CONTACTS_AT_ONCE = 2_000
WEEK_MS = 7 * DAY_MS
CONFIG = StreamConfig(partitions=PARTITIONS)
Endpoint = tuple[str, int]  # topic, partition


class Filling:
    """Stages in memory, and what of their tables is not written yet."""

    def __init__(self, seed: int, copies: int = 1, config: StreamConfig = CONFIG) -> None:
        self.config = config

        def kept(name: str) -> Table:
            return Table(partitions_of(config, name), changelog_of(name))

        stages = build_stages(config, Wire(decode_single_object), kept)
        self.stages: dict[str, Stage] = {stage.topic: stage for stage in stages}
        self.read: dict[Endpoint, int] = defaultdict(int)
        self.logged: dict[Endpoint, int] = defaultdict(int)
        self.unwritten: dict[Endpoint, dict[bytes, bytes]] = defaultdict(dict)
        self.contacts, self.records, self.size = 0, 0, 0
        self._seed, self._copies, self._blocks = seed, copies, 0

    def simulate(self, until: int) -> None:
        """Go on until there are so many contacts: blocks of them, each in a week of its own."""
        while self.contacts < until:
            count = min(-(-(until - self.contacts) // self._copies), CONTACTS_AT_ONCE)
            start = START_MS + self._blocks * WEEK_MS
            arriving: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
            for event in Simulation(self._seed + self._blocks, start_ms=start, contacts=count).events():
                key = event.contact_id.encode()
                arriving[partition_of(key, self.config.partitions)].append((key, encode(event)))
            for partition, records in arriving.items():
                self.apply((CONTACT_EVENTS, partition), records)
            self.contacts += count * self._copies
            self._blocks += 1

    def apply(self, place: Endpoint, arriving: Iterable[tuple[bytes, bytes | None]]) -> None:
        """One batch of a stage, and then what it passes on to the others."""
        source, partition = place
        stage = self.stages[source]
        records = [Record(offset, *one) for offset, one in enumerate(arriving, self.read[place])]
        self.read[place] += len(records)
        work = stage.apply(partition, records, row_version(0, records[-1].offset))
        assert not work.refused
        self.keep(stage.state, partition, work.states)
        self.keep(stage.totals, partition, work.totals.items())
        for target, passed_on in self.passed_on(work.outputs).items():
            self.apply(target, passed_on)

    def passed_on(self, outputs: Iterable[Output]) -> dict[Endpoint, list[tuple[bytes, bytes | None]]]:
        """Those outputs that another stage reads."""
        found: dict[Endpoint, list[tuple[bytes, bytes | None]]] = defaultdict(list)
        for topic, partition, record in outputs:
            if topic in self.stages:
                found[topic, partition].append(record)
        return found

    def keep(self, kept: Table, partition: int, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Set in the table, and write later."""
        pairs = list(items)
        kept.put(partition, pairs)
        self.unwritten[kept.changelog, partition].update(pairs)

    def mark(self) -> None:
        """Markers: all that began is done."""
        rules = rules_digest(self.config.rules)
        for (source, partition), following in self.read.items():
            stage, key = self.stages[source], marker_key(partition)
            begun, done = Begun(0, following - 1, None), Done((0, following - 1), following - 1, rules)
            self.unwritten[stage.state.changelog, partition][key] = begun_bytes(begun)
            self.unwritten[stage.totals.changelog, partition][key] = done_bytes(done)

    async def write(self, servers: str) -> None:
        """Write what is not written yet."""
        self.mark()
        writer = BatchWriter(servers)
        for (topic, partition), following in self.read.items():
            lacking = following - self.logged[topic, partition]
            await writer.write(topic, partition, repeat((b"", b""), lacking))
            self.logged[topic, partition] = following
        for (topic, partition), values in self.unwritten.items():
            for number in range(self._copies):
                named = copied(values, number)
                await writer.write(topic, partition, named.items())
                self.records += len(named)
                self.size += sum(len(key) + len(value) for key, value in named.items())
        self.unwritten.clear()
        await writer.stop()
        await commit(servers, self.read)


async def commit(servers: str, following: Mapping[Endpoint, int]) -> None:
    """All of it has been read by the workers' group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=WORKER_GROUP, enable_auto_commit=False)
    await consumer.start()
    try:
        offsets = {TopicPartition(*place): offset for place, offset in following.items()}
        consumer.assign([*offsets])
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


def copied(values: dict[bytes, bytes], number: int) -> dict[bytes, bytes]:
    """The same records under other keys; markers are not copied."""
    if not number:
        return values
    return {b"%s~%d" % (key, number): value for key, value in values.items() if not is_marker(key)}
