"""Bad Kafka records through decoder, stages and sink: nothing is raised, nothing hangs, not a word of what is
refused is kept. `make fuzz N=100000 SEED=7` tries so many.

Real: decoder, forwarder, stages with their tables, dead letters, rows of the sink. What Ringback wrote itself
is refused nowhere.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog
from support.fuzz import BATCH, COUNT, PLANTED, SEED, TELLTALE, within
from support.fuzz_records import alien_record, events_of, raw_record
from support.stage_world import random_world

from kpis.rules import DEFAULT_RULES
from schemas import topics
from schemas.dead_letter import DeadLetter, dead_letter_record
from sinks.buffer import LATEST, Buffer
from streams.commit.forwarder import forward
from streams.config import StreamConfig
from streams.kafka.decoding import Wire, decode_single_object
from streams.kafka.record import CONTACT_FULL, KeyValue, Record, RefusedRecord
from streams.stages.build import build_stages
from streams.stages.stage import Output, Stage
from streams.state.memory import in_memory
from streams.state.table import Table

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(0)]
# Framed as Avro of a schema that is not known: kept, so that it can be sent again after an upgrade.
KEPT = ("unknown_fingerprint", "unknown_schema_id", "not_single_object")
INTERNAL = (
    topics.CONTACT_FACTS,
    topics.KPI_WINDOWS,
    topics.FCR_FACTS,
    topics.FCR_WINDOWS,
    topics.AGENT_QUARTERS,
)


class Worker:
    """The stages with their tables, and the sink behind them, batch by batch."""

    def __init__(self) -> None:
        rules = replace(DEFAULT_RULES, contact_max_events=30)
        config = StreamConfig(partitions=1, rules=rules)
        stages = build_stages(
            config, Wire(decode_single_object), lambda name: Table(in_memory(), topics.changelog_of(name))
        )
        self.stages: dict[str, Stage] = {stage.topic: stage for stage in stages}
        for stage in stages:
            for table in (stage.state, stage.totals):
                table.partitions.of(0)
        self.sink = Buffer(decode_single_object)
        self.version = 0
        self.said: list[str] = []  # all that leaves it of what was refused
        self.ours: list[tuple[str, KeyValue]] = []  # what it wrote
        self.set_aside = 0

    def numbered(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> list[Record]:
        return [Record(self.version * BATCH + n, key, value) for n, (key, value) in enumerate(records)]

    def applied(self, topic: str, records: Sequence[Record]) -> list[Output]:
        """What a stage puts out; its tables move on."""
        stage = self.stages[topic]
        self.version += 1
        work = stage.apply(0, records, self.version)
        stage.state.put(0, work.states)
        stage.totals.put(0, [*work.totals.items()])
        self.refused(topic, work.refused)
        outputs = [*work.outputs]
        outputs += [stage.total_output(0, *item, self.version) for item in work.totals.items()]
        assert len(work.refused) <= len(records) or topic == topics.CONTACT_EVENTS
        return outputs

    def refused(self, topic: str, refused: Iterable[RefusedRecord]) -> None:
        for item in refused:
            letter = DeadLetter(f"{topic}[0]", item.offset, item.reason, item.detail, item.payload)
            _, value = dead_letter_record(letter, 0)
            self.stored(topics.DEAD_LETTERS, self.numbered([(b"", value)]))
            self.said.append(f"{item.reason} {item.detail}")
            if item.reason not in (*KEPT, CONTACT_FULL):
                self.said.append(legible(item.payload))

    def stored(self, topic: str, records: Iterable[Record]) -> None:
        """Rows of the sink."""
        for item in records:
            made: Any = SimpleNamespace(
                topic=topic, partition=0, offset=item.offset, timestamp=0, key=item.key, value=item.value
            )
            self.sink.add(made)

    def sink_rows(self, ours: bool) -> None:
        """Take the rows; of what was set aside, which of ours nothing is, what is kept."""
        letters = [row for row in self.sink.rows()["dead_letters"] if "alien" in row]
        assert not (ours and letters), letters
        self.set_aside += len(letters)
        self.said += [legible(value) for row in letters for value in row if isinstance(value, str | bytes)]
        self.sink.clear()


def legible(data: str | bytes) -> str:
    """As somebody would find a number in it, whatever the encoding."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    return text.replace("\0", "")


def one_round(worker: Worker, rng: random.Random) -> int:
    """Some records of every topic; how many."""
    events = events_of(random_world(rng))
    raw = worker.numbered(raw_record(rng, rng.choice(events)) for _ in range(BATCH))
    worker.stored(topics.CONTACT_EVENTS, raw)
    worker.stored(topics.AGENT_EVENTS, raw)
    worker.stored(topics.SOURCE_HEARTBEATS, raw)
    passed_on, refused = forward(raw, decode_single_object, 1)
    worker.refused(topics.AGENT_EVENTS, refused)
    outputs = [*worker.applied(topics.CONTACT_EVENTS, raw), *passed_on]
    for topic in topics.PASSED_ON_TOPICS:
        given = worker.numbered(pair for name, _, pair in outputs if name == topic)
        before = len(worker.said)
        outputs += worker.applied(topic, given)
        assert worker.said[before:] == []  # our own
    for topic, _, (key, value) in outputs:
        if topic in INTERNAL:
            worker.stored(topic, worker.numbered([(key, value)]))
    worker.sink_rows(ours=True)
    return len(raw) + aliens(worker, rng, outputs)


def aliens(worker: Worker, rng: random.Random, outputs: Sequence[Output]) -> int:
    """Records that somebody else wrote where only Ringback should."""
    count = 0
    for topic in (*topics.PASSED_ON_TOPICS, *INTERNAL):
        ours = [pair for name, _, pair in outputs if name == topic]
        strange = worker.numbered(alien_record(rng, rng.choice(ours)) for _ in range(BATCH // 5) if ours)
        count += len(strange)
        if topic in worker.stages:
            worker.applied(topic, strange)
        else:
            worker.stored(topic, strange)
    worker.sink_rows(ours=False)
    return count


def test_bad_records_stop_nothing_and_name_nobody() -> None:
    rng, done, refused, worker = random.Random(f"{SEED} records"), 0, 0, Worker()
    while done < COUNT:
        if rng.random() < 0.05:
            worker = Worker()
        with structlog.testing.capture_logs() as logs, within(60, "a round of records"):
            done += one_round(worker, rng)
        said = [*worker.said, *(legible(orjson.dumps(line)) for line in logs)]
        refused += len(worker.said)
        worker.said.clear()
        assert [text for text in said if TELLTALE in text] == []
    assert refused > done // 10


@pytest.mark.parametrize("topic", [*topics.PASSED_ON_TOPICS, topics.KPI_WINDOWS])
def test_what_would_be_kept_is_found(topic: str) -> None:
    worker = Worker()
    records = worker.numbered([(b"k", f'"{PLANTED}"'.encode())])
    if topic in worker.stages:
        worker.applied(topic, records)
    else:
        worker.stored(topic, records)
        worker.sink_rows(ours=False)
    assert worker.said
    assert not any(TELLTALE in text for text in worker.said)
    assert set(LATEST) <= set(INTERNAL)
