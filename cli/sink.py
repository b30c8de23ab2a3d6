"""`ringback sink`: one sink, for containers."""

import asyncio
import signal
from functools import partial

from cli.console import settings
from cli.endpoint import SINK_PORT_OFFSET, endpoint
from cli.stream_settings import stream_config
from cli.wire import wire
from schemas.topics import SINK_GROUP
from sinks.loop import run_sink
from sinks.views.statements import apply_views
from sinks.writer import ClickHouseSink
from streams.health.observer import observed


def sink() -> None:
    """Run one sink until SIGTERM: events, facts, windows and dead letters to ClickHouse.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 CLICKHOUSE_URL=http://clickhouse:8123/ringback ringback sink
    """
    asyncio.run(sink_until_stopped())


async def sink_until_stopped() -> None:
    """Run the sink; SIGINT and SIGTERM let it write and commit what it holds."""
    config = settings()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stream = stream_config(config)
    views = partial(apply_views, rules=stream.rules, zone=config.timezone, by_queue=config.timezone_by_queue)
    with observed("sink", endpoint(config, SINK_GROUP, SINK_PORT_OFFSET)) as health:
        clickhouse = ClickHouseSink(config.clickhouse, views, health.metrics.inserted, stop.is_set)
        await run_sink(stream, clickhouse, wire(config), stop, health)
