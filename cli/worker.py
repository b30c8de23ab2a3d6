"""`ringback worker` and `ringback sink`: one of each, for containers."""

import asyncio
import signal
from functools import partial

from cli.console import WRONG_USE, fail, settings
from cli.settings import Settings, stream_config
from cli.wire import wire
from schemas.topics import SINK_GROUP, WORKER_GROUP
from sinks.loop import run_sink
from sinks.views.statements import apply_views
from sinks.writer import ClickHouseSink
from streams.engine.worker import run_worker
from streams.health.endpoint import Endpoint
from streams.health.observer import observed
from streams.state.disk import require_rocksdict
from streams.state.table import StateStoreError

# So far above a worker's port that all workers of `ringback up` have room between.
SINK_PORT_OFFSET = 16


def place(config: Settings, group: str, offset: int = 0) -> Endpoint:
    """Where a process is observed."""
    return Endpoint(config.bootstrap_servers, group, config.metrics_host, config.metrics_port + offset)


def worker() -> None:
    """Run one stream worker until SIGTERM: events to facts, KPI windows and quarters.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 ringback worker
    """
    config = settings()
    try:
        if config.state_store == "rocksdict":
            require_rocksdict()
    except StateStoreError as error:
        fail(str(error), WRONG_USE)
    with observed("worker", place(config, WORKER_GROUP)) as health:
        run_worker(stream_config(config), wire(config), health)


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
    views = partial(apply_views, rules=stream.rules, zone=config.timezone)
    with observed("sink", place(config, SINK_GROUP, SINK_PORT_OFFSET)) as health:
        clickhouse = ClickHouseSink(config.clickhouse, views, health.metrics.inserted, stop.is_set)
        await run_sink(stream, clickhouse, wire(config), stop, health)
