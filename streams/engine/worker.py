"""Run a worker process until it is told to stop, or until something is wrong that only a person can mend."""

import asyncio
from dataclasses import replace

from faust.tables.recovery import ServiceStopped

from streams.config import StreamConfig
from streams.engine.app import build_app
from streams.engine.shutdown import FAILED, Worker
from streams.health import ready_file
from streams.health.health import STARTING, Health
from streams.health.library_logs import quieten_libraries
from streams.kafka.decoding import Wire
from streams.kafka.forgotten import forgetting, stored_ledger
from streams.kafka.topics import wait_for_topics


def run_worker(config: StreamConfig, wire: Wire, health: Health) -> None:
    """Run a worker in this process; leaves by SystemExit with the worker's exit status."""
    ready_file.mark(False)
    health.become(STARTING, kafka=config.bootstrap_servers)
    config = replace(
        config,
        cluster=asyncio.run(wait_for_topics(config.bootstrap_servers, config.partitions, config.replication)),
    )
    wire = forgetting(wire, asyncio.run(stored_ledger(config.bootstrap_servers)))
    quieten_libraries(ServiceStopped)  # what Faust raises in a worker that is stopped while it recovers
    config.state_dir.mkdir(parents=True, exist_ok=True)
    app = build_app(config, wire, health)
    worker = Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True)
    health.loop = worker.loop
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        raise SystemExit(FAILED if health.failed else ended.code) from None
