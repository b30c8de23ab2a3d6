"""The sink: a real `ringback sink` into the embedded ClickHouse, whose own work is not counted to it."""

from dataclasses import replace

from bench.counted import share, summed, verdict
from bench.events import Input, Windows
from bench.group import Member, consume
from bench.meter import Outcome
from bench.stack import Stack
from kpis.tallies.windows import MEASURES
from schemas.topics import SINK_GROUP, SINK_TOPICS
from sinks.connection import connect

SINK = Member("sink", ("cli.main", "sink"), SINK_GROUP, SINK_TOPICS)


def stored_events(url: str) -> int:
    """Event variants in ClickHouse."""
    return int(connect(url).query("SELECT count() FROM events FINAL").result_rows[0][0])


def windows(url: str, table: str = "kpi_windows FINAL") -> Windows:
    """Windows in a table of ClickHouse."""
    query = f"SELECT toUnixTimestamp64Milli(window_start), channel, queue, {', '.join(MEASURES)} FROM {table}"
    rows = connect(url).query(query).result_rows
    return summed((tuple(row[:3]), dict(zip(MEASURES, row[3:], strict=True))) for row in rows)


async def raw_events(stack: Stack, data: Input) -> Outcome:
    """Before the worker has run: the topics hold nothing but events."""
    outcome = await consume(stack, SINK)
    sent = len({message.value for message in data.messages})
    return replace(outcome, counted=share(stored_events(stack.clickhouse_url), sent, "distinct rows"))


async def outputs(stack: Stack, truth: Windows) -> Outcome:
    """After the worker has run: its facts and windows."""
    outcome = await consume(stack, SINK)
    return replace(outcome, counted=verdict(windows(stack.clickhouse_url), truth))
