"""`ringback worker` and `ringback sink`: one of each, for containers."""

import asyncio
import signal

from cli.console import settings
from cli.settings import stream_config
from cli.wire import decoder
from sinks.clickhouse import ClickHouseSink
from streams.sink import run_sink
from streams.worker import run_worker


def worker() -> None:
    """Run one stream worker until SIGTERM: contact-events to facts and KPI windows.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 ringback worker
    """
    run_worker(stream_config(settings()), decoder(settings()))


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
    await run_sink(stream_config(config), ClickHouseSink(config.clickhouse), decoder(config), stop)
