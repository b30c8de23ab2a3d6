"""The worker's own code under a seeded simulation: crashes between and inside any two writes, re-delivery
from an older commit, other batch boundaries every time. What readers see at the end must be the truth.

Real: processor, recovery, markers, fold, rows. Simulated: broker, tables, crash. A failure is reproduced by
its seed: `pytest -k "test_crashes[123]"`.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import structlog
from support.worlds import random_contact

from kpis.fold import fold
from kpis.rules import DEFAULT_RULES
from kpis.tally import add, contribution
from schemas.codec import encode
from schemas.events import ContactEvent
from sinks.rows import COLUMNS, fact_rows, window_row
from streams.apply import Record
from streams.config import StreamConfig
from streams.decoding import decode_single_object
from streams.processor import Processor
from streams.recovery import finish_batch
from streams.topics import CONTACT_FACTS, CONTACTS_CHANGELOG, KPI_WINDOWS, WINDOWS_CHANGELOG

PARTITION = 3
SEEDS = range(150)
KEYS = {
    "contacts": ("contact_id",),
    "legs": ("contact_id", "leg"),
    "surveys": ("contact_id", "kind", "respondent"),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of batches, none worth a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


class Crash(Exception):
    """The process was killed."""


class Store(dict[bytes, bytes]):
    """A Faust in-memory store as streams.batching uses it."""

    def __init__(self) -> None:
        super().__init__()
        self._key_partition: dict[bytes, int] = {}


@dataclass
class Table:
    data: Store = field(default_factory=Store)


@dataclass
class Broker:
    """Topics as lists; kills the worker after so many more records."""

    topics: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    left: int = 10**9

    async def write(self, topic: str, partition: int, records: Any) -> None:
        await asyncio.sleep(0)
        for key, value in records:
            if self.left <= 0:
                raise Crash
            self.left -= 1
            self.topics[topic].append((key, value))
            if self.left % 3 == 0:
                await asyncio.sleep(0)  # writes to several topics overlap

    async def stop(self) -> None:
        pass


def recovered(broker: Broker, topic: str) -> Table:
    """A table from its changelog, the last record of each key."""
    table = Table()
    for key, value in broker.topics[topic]:
        table.data[key] = value
        table.data._key_partition[key] = PARTITION
    return table


def worker(broker: Broker) -> Processor:
    contacts, windows = recovered(broker, CONTACTS_CHANGELOG), recovered(broker, WINDOWS_CHANGELOG)
    return Processor(StreamConfig(), contacts, windows, broker, decode_single_object, lambda: 0)  # type: ignore[arg-type]


def deliveries(rng: random.Random) -> list[Record]:
    """Events of a few nasty contacts, muddled, some twice."""
    events: list[ContactEvent] = []
    for number in range(rng.randint(1, 12)):
        events += random_contact(rng, f"c{number}")
    events += rng.sample(events, len(events) // 5)
    rng.shuffle(events)
    return [Record(i, event.contact_id.encode(), encode(event)) for i, event in enumerate(events)]


async def run(rng: random.Random, log: list[Record], broker: Broker) -> int:
    """Work through the log with crashes; the number of crashes."""
    committed, crashes = 0, 0
    while committed < len(log):
        broker.left = rng.choice([rng.randint(0, 60), rng.randint(0, 600)]) if crashes < 12 else 10**9
        processor = worker(broker)
        position = committed
        try:
            await finish_batch(processor, PARTITION)
            while position < len(log):
                batch = log[position : position + rng.randint(1, 30)]
                await processor.process(PARTITION, batch)
                position += len(batch)
                if rng.random() < 0.5:  # commits are less frequent than batches
                    committed = position
            committed = position
        except Crash:
            crashes += 1
    return crashes


def seen_windows(broker: Broker) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """What ClickHouse would show: per window the row of the greatest version, the last of equals."""
    best: dict[tuple[Any, ...], list[Any]] = {}
    for _, value in broker.topics[KPI_WINDOWS]:
        row = window_row(orjson.loads(value))
        key = tuple(row[:3])
        if key not in best or best[key][-1] <= row[-1]:
            best[key] = row
    return {key: tuple(row[4:-1]) for key, row in best.items() if any(row[4:-1])}


def seen_facts(broker: Broker) -> dict[tuple[Any, ...], list[Any]]:
    """Fact rows that ClickHouse would show, without their versions."""
    best: dict[tuple[Any, ...], list[Any]] = {}
    for _, value in broker.topics[CONTACT_FACTS]:
        for table, row in fact_rows(orjson.loads(value)):
            key = (table, *key_of(table, row))
            if key not in best or best[key][-2] <= row[-2]:
                best[key] = row
    return {key: row[:-2] for key, row in best.items() if not row[-1]}


def key_of(table: str, row: list[Any]) -> tuple[Any, ...]:
    return tuple(row[COLUMNS[table].index(name)] for name in KEYS[table])


def truth(log: list[Record]) -> tuple[dict[tuple[Any, ...], tuple[int, ...]], int]:
    """Windows and the number of fact rows from the set of events alone."""
    by_contact: dict[str, list[Any]] = defaultdict(list)
    for record in log:
        event, _ = decode_single_object(record.value or b"")
        by_contact[event.contact_id].append(event)  # type: ignore[union-attr]
    windows: dict[tuple[Any, ...], tuple[int, ...]] = {}
    rows = 0
    for events in by_contact.values():
        facts = fold(events)
        rows += int(facts.contact is not None) + len(facts.legs) + len(facts.surveys)
        for window, tally in contribution(facts, DEFAULT_RULES).items():
            windows[tuple(window)] = add(windows[tuple(window)], tally) if tuple(window) in windows else tally
    return {key: tally for key, tally in windows.items() if any(tally)}, rows


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes(seed: int) -> None:
    """Whatever is cut short, and wherever, readers end up with the truth."""
    rng = random.Random(seed)
    log, broker = deliveries(rng), Broker()
    asyncio.run(run(rng, log, broker))
    windows, rows = truth(log)
    assert seen_windows(broker) == windows
    assert len(seen_facts(broker)) == rows


def test_crashes_happen() -> None:
    """The simulation is worth nothing if nothing ever crashes inside a batch."""
    crashes = 0
    for seed in SEEDS:
        rng = random.Random(seed)
        log, broker = deliveries(rng), Broker()
        crashes += asyncio.run(run(rng, log, broker))
    assert crashes > len(SEEDS)
