"""Rows that wait to be written to ClickHouse, made of the records that were read, and how far these go."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import structlog
from aiokafka import ConsumerRecord, TopicPartition

from schemas import topics
from schemas.codec import DecodeError
from schemas.events import AgentStateChanged, SourceHeartbeat
from schemas.topics import SINK_RAW_TOPICS
from sinks.rows import (
    TableRow,
    agent_event_row,
    dead_letter_row,
    event_row,
    fact_rows,
    fcr_row,
    fcr_window_rows,
    heartbeat_row,
    quarter_row,
    window_row,
)
from streams.kafka.record import Decode

log = structlog.get_logger()
# Each of these records tells all that readers see under its key: of several in a batch one is enough.
LATEST: dict[str, Callable[[Any], Iterable[TableRow]]] = {
    topics.KPI_WINDOWS: lambda document: [("kpi_windows", window_row(document))],
    topics.FCR_FACTS: lambda document: [("fcr", fcr_row(document))],
    topics.FCR_WINDOWS: lambda document: [("fcr_windows", row) for row in fcr_window_rows(document)],
    topics.AGENT_QUARTERS: lambda document: [("agent_quarters", quarter_row(document))],
}
BATCH_ROWS = 20_000
BATCH_AGE_S = 0.5


class Buffer:
    """Rows that wait to be written, and the offsets up to which they go."""

    def __init__(self, decode: Decode) -> None:
        self.decode = decode
        self.clear()

    def clear(self) -> None:
        """Forget everything: it was written, or will be fetched again."""
        self.tables: dict[str, list[Any]] = defaultdict(list)
        self.latest: dict[tuple[str, bytes], dict[str, Any]] = {}  # (topic, key) -> document
        self.positions: dict[TopicPartition, int] = {}
        self.stamps: dict[TopicPartition, int] = {}  # time of the last record, in ms
        self.since = time.monotonic()

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.tables.values()) + len(self.latest)

    def rows(self) -> dict[str, list[Any]]:
        """What is to be inserted, by table; of a window, repeat or quarter-hour only what came last."""
        tables = defaultdict(list, {table: list(rows) for table, rows in self.tables.items()})
        for (topic, _), document in self.latest.items():
            for table, row in LATEST[topic](document):
                tables[table].append(row)
        return tables

    def add(self, record: ConsumerRecord) -> None:
        """Turn one record into rows."""
        if not self.positions:
            self.since = time.monotonic()
        tp = TopicPartition(record.topic, record.partition)
        self.positions[tp], self.stamps[tp] = record.offset + 1, record.timestamp
        if record.value is None:
            return
        if record.topic in SINK_RAW_TOPICS:
            self.add_event(record)
        elif record.topic in LATEST:
            document = orjson.loads(record.value)
            where = record.topic, record.key
            known = self.latest.get(where)
            if known is None or known["version"] <= document["version"]:
                self.latest[where] = document
        elif record.topic == topics.CONTACT_FACTS:
            for table, row in fact_rows(orjson.loads(record.value)):
                self.tables[table].append(row)
        else:
            row = dead_letter_row(record.partition, record.offset, record.value)
            self.tables["dead_letters"].append(row)

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
                self.tables["heartbeats"].append(heartbeat_row(event))
        elif isinstance(event, AgentStateChanged):
            if record.topic == topics.AGENT_EVENTS and record.key == event.agent.encode():
                self.tables["agent_events"].append(agent_event_row(event, canonical))
        elif record.topic == topics.CONTACT_EVENTS and record.key == event.contact_id.encode():
            self.tables["events"].append(event_row(event, canonical))

    def due(self) -> bool:
        """Large enough or old enough to be written?"""
        old = bool(self.positions) and time.monotonic() - self.since >= BATCH_AGE_S
        return len(self) >= BATCH_ROWS or old
