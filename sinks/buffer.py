"""Rows that wait to be written to ClickHouse, made of the records that were read, and how far these go."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiokafka import ConsumerRecord, TopicPartition

from schemas import topics
from schemas.codec import DecodeError
from schemas.dead_letter import DeadLetter, dead_letter_record, kept_record
from schemas.events import AgentStateChanged, ContactEvent, SourceHeartbeat
from schemas.forgotten import NOBODY, Ledger
from schemas.topics import SINK_RAW_TOPICS
from sinks.forgotten import letter_without_forgotten, without_forgotten
from sinks.rows import (
    TableRow,
    agent_event_row,
    checked_row,
    dead_letter_row,
    event_row,
    fact_rows,
    fcr_row,
    fcr_window_rows,
    heartbeat_row,
    published_row,
    quarter_row,
    window_row,
)
from sinks.rules_in_use import rules_row
from streams.health.sparing import SparingLog
from streams.kafka.record import Decode

log = structlog.get_logger()
# Each of these records tells all that readers see under its key: of several in a batch one is enough.
LATEST: dict[str, Callable[[Any], Iterable[TableRow]]] = {
    topics.KPI_WINDOWS: lambda document: [("kpi_windows", window_row(document))],
    topics.FCR_FACTS: lambda document: [("fcr", fcr_row(document))],
    topics.FCR_WINDOWS: lambda document: [("fcr_windows", row) for row in fcr_window_rows(document)],
    topics.AGENT_QUARTERS: lambda document: [("agent_quarters", quarter_row(document))],
}
# What people look at is written as soon as it is SEEN_AGE_S old and nothing else is being written. All else
# waits for BATCH_AGE_S, or until nothing has come for QUIET_S: an insert into ClickHouse costs 10 ms of CPU,
# however small. Last comes what only verification and audits read.
SEEN_FIRST = ("legs", "kpi_windows", "contacts")
SEEN_TOPICS = (topics.CONTACT_FACTS, topics.KPI_WINDOWS)
SEEN_LAST = ("events", "arrivals", "published_windows")
BATCH_ROWS = 20_000
BATCH_AGE_S = 3.0
QUIET_S = 0.5
SEEN_AGE_S = 0.25
Tables = dict[str, list[Any]]
Latest = dict[tuple[str, bytes], tuple[int, list[TableRow]]]  # (topic, key) -> version, rows


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows by table, in the order in which they are written, and the offsets that may be committed then."""

    tables: Tables
    positions: dict[TopicPartition, int]
    stamps: dict[TopicPartition, int]  # time of the last record, in ms


def arrival_row(record: ConsumerRecord, event: ContactEvent) -> list[Any]:
    """Row of `arrivals`: an event came to this place then."""
    at = max(record.timestamp, 0)
    return [
        record.partition, record.offset, event.contact_id, event.event_id, event.type, event.occurred_at, at,
    ]  # fmt: skip


def turn(table: str) -> int:
    """When a table is written: the least first."""
    if table in SEEN_FIRST:
        return SEEN_FIRST.index(table) - len(SEEN_FIRST)
    return SEEN_LAST.index(table) + 1 if table in SEEN_LAST else 0


def newest(known: Latest, more: Latest) -> Latest:
    """Of each key what has the greatest version."""
    newer = {where: made for where, made in more.items() if known.get(where, (0, []))[0] <= made[0]}
    return known | newer


class Buffer:
    """Rows that wait to be written, and the offsets up to which they go."""

    def __init__(self, decode: Decode, forgotten: Ledger = NOBODY) -> None:
        self.decode = decode
        self.forgotten = forgotten
        self.said = SparingLog()
        self.clear()

    def clear(self) -> None:
        """Nothing waits any more."""
        self.tables: Tables = defaultdict(list)
        self.latest: Latest = {}
        self.shown: Latest = {}  # windows that were taken early: their history is written once a batch
        self.positions: dict[TopicPartition, int] = {}
        self.stamps: dict[TopicPartition, int] = {}
        self.since = self.came = time.monotonic()  # when the first and the last of it came
        self.unseen_since: float | None = None  # when the first of what people look at came

    def __len__(self) -> int:
        rows = sum(len(rows) for table, rows in self.tables.items() if table != "arrivals")
        return rows + len(self.latest)

    def rows(self) -> Tables:
        """What is to be inserted, by table and in order; of a window or the like only what came last."""
        tables = defaultdict(list, {table: list(rows) for table, rows in self.tables.items()})
        for _, made in self.latest.values():
            for table, row in made:
                tables[table].append(row)
        for _, made in newest(self.shown, self.latest).values():
            published = (published_row(table, row) for table, row in made)
            tables["published_windows"] += [row for row in published if row is not None]
        return {table: tables[table] for table in sorted(tables, key=turn) if tables[table]}

    def take(self) -> Batch:
        """All that waits; it waits no more."""
        batch = Batch(self.rows(), self.positions, self.stamps)
        self.clear()
        return batch

    def take_seen(self) -> Tables:
        """What people look at; it waits no more, but its offsets do, for what else came with it."""
        early = {where: made for where, made in self.latest.items() if where[0] == topics.KPI_WINDOWS}
        tables = {table: self.tables.pop(table, []) for table in SEEN_FIRST}
        for where, (_, made) in early.items():
            del self.latest[where]
            for table, row in made:
                tables[table].append(row)
        self.shown, self.unseen_since = newest(self.shown, early), None
        return {table: rows for table, rows in tables.items() if rows}

    def add(self, record: ConsumerRecord) -> None:
        """Turn one record into rows."""
        self.came = time.monotonic()
        if not self.positions:
            self.since = self.came
        if self.unseen_since is None and record.topic in SEEN_TOPICS:
            self.unseen_since = self.came
        tp = TopicPartition(record.topic, record.partition)
        self.positions[tp], self.stamps[tp] = record.offset + 1, record.timestamp
        if record.value is None:
            return
        if record.topic in SINK_RAW_TOPICS:
            self.add_event(record)
            return
        try:
            self.add_internal(record)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self.set_aside(record, error)

    def add_internal(self, record: ConsumerRecord) -> None:
        """What Ringback wrote. Raises ValueError, TypeError, KeyError or AttributeError: it did not."""
        if record.topic == topics.DEAD_LETTERS:
            value = letter_without_forgotten(record.value, self.forgotten) if self.forgotten else record.value
            row = dead_letter_row(record.partition, record.offset, value)
            self.tables["dead_letters"].append(checked_row("dead_letters", row))
            return
        document = orjson.loads(record.value)
        if self.forgotten and (document := without_forgotten(record, document, self.forgotten)) is None:
            return
        if record.topic == topics.RULES_IN_USE:
            rules = rules_row(record.offset, document)
            self.tables["rules_in_use"].append(rules)
            return
        make = LATEST.get(record.topic, fact_rows)
        # All of them before any is kept: what is alien must not take the place of what is ours.
        made = [(table, checked_row(table, row)) for table, row in make(document)]
        if record.topic not in LATEST:
            for table, row in made:
                self.tables[table].append(row)
            return
        where = record.topic, record.key
        known = self.latest.get(where)
        if known is None or known[0] <= document["version"]:
            self.latest[where] = document["version"], made

    def set_aside(self, record: ConsumerRecord, error: Exception) -> None:
        """A record that Ringback did not write, where only Ringback writes: named, its shape kept."""
        origin = f"{record.topic}[{record.partition}]"
        self.said.warning("not a record of Ringback, set aside", origin=origin, offset=record.offset)
        detail, kept = type(error).__name__, kept_record("alien", record.value)
        letter = DeadLetter(origin, record.offset, "alien", detail, kept)
        _, value = dead_letter_record(letter, max(record.timestamp, 0))
        self.tables["dead_letters"].append(dead_letter_row(record.partition, record.offset, value))

    def add_event(self, record: ConsumerRecord) -> None:
        """A raw event, unless the worker refuses it too: then it comes back as a dead letter."""
        try:
            event, canonical = self.decode(record.value)
        except DecodeError as error:
            if record.topic == topics.SOURCE_HEARTBEATS:  # which the worker does not read
                log.warning("a heartbeat is unreadable", offset=record.offset, error=str(error))
            return
        if isinstance(event, SourceHeartbeat):
            if record.topic == topics.SOURCE_HEARTBEATS:
                self.tables["heartbeats"].append(heartbeat_row(event, record.timestamp))
        elif isinstance(event, AgentStateChanged):
            if record.topic == topics.AGENT_EVENTS and record.key == event.agent.encode():
                self.tables["agent_events"].append(agent_event_row(event, canonical))
        elif record.topic == topics.CONTACT_EVENTS and record.key == event.contact_id.encode():
            self.tables["events"].append(event_row(event, canonical))
            self.tables["arrivals"].append(arrival_row(record, event))

    def due(self) -> bool:
        """Large enough or old enough to be written, or is nothing more to be expected soon?"""
        now = time.monotonic()
        old = now - self.since >= BATCH_AGE_S or now - self.came >= QUIET_S
        return len(self) >= BATCH_ROWS or (bool(self.positions) and old)

    def seen_due_s(self) -> float | None:
        """In how long what people look at is old enough to be written; None where there is nothing of it."""
        return None if self.unseen_since is None else self.unseen_since + SEEN_AGE_S - time.monotonic()

    def seen_due(self) -> bool:
        """Is what people look at old enough to be written?"""
        due_s = self.seen_due_s()
        return due_s is not None and due_s <= 0
