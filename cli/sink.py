"""`ringback sink`: one sink, for containers."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from clickhouse_connect.driver.client import Client

from cli.console import settings
from cli.endpoint import endpoint
from cli.port_offsets import SINK_PORT_OFFSET
from cli.stopping import stop_event
from cli.stream_settings import stream_config
from cli.wire import wire
from kpis.rules import Rules
from schemas.topics import SINK_GROUP
from sinks.loop import run_sink
from sinks.retention import keep_for
from sinks.rows import HISTORY_TABLES
from sinks.rules_in_use import keep_own
from sinks.views.statements import apply_views
from sinks.writer import ClickHouseSink
from streams.health.observer import observed


def sink() -> None:
    """Run one sink until SIGTERM: events, facts, windows and dead letters to ClickHouse.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 CLICKHOUSE_URL=http://clickhouse:8123/ringback ringback sink
    """
    asyncio.run(sink_until_stopped())


def make_views(
    client: Client, rules: Rules, zone: str, by_queue: Mapping[str, str], corrections_days: int
) -> None:
    """Views by these rules; and which rules they are, for those who ask by others."""
    apply_views(client, rules, zone, by_queue)
    keep_for(client, corrections_days)
    keep_own(client, rules, time.time_ns() // 1_000_000)


async def sink_until_stopped() -> None:
    """Run the sink; SIGINT and SIGTERM let it write and commit what it holds."""
    config = settings()
    stop = stop_event()
    stream = stream_config(config)
    zones = config.timezone_by_queue
    days = config.corrections_days
    views = partial(
        make_views, rules=stream.rules, zone=config.timezone, by_queue=zones, corrections_days=days
    )
    left_out = () if days else HISTORY_TABLES
    with observed("sink", endpoint(config, SINK_GROUP, SINK_PORT_OFFSET)) as health:
        clickhouse = ClickHouseSink(config.clickhouse, views, health.metrics.inserted, stop.is_set, left_out)
        await run_sink(stream, clickhouse, wire(config), stop, health)
