"""Run a worker process until it is told to stop, or until something is wrong that only a person can mend."""

import asyncio
from dataclasses import replace

import structlog
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams import readiness
from streams.app import build_app
from streams.config import StreamConfig
from streams.decoding import Wire
from streams.ending import FAILED, Worker
from streams.health import STARTING, Health
from streams.logs import quieten_libraries
from streams.topics import ensure_topics

log = structlog.get_logger()
RETRY_S = 1.0


async def wait_for_topics(config: StreamConfig) -> str:
    """Create missing topics, waiting for the broker as long as it takes; returns the cluster's id.

    Raises PartitionsChanged.
    """
    told = False
    while True:
        try:
            cluster = await ensure_topics(config.bootstrap_servers, config.partitions, config.replication)
        except (KafkaConnectionError, KafkaError, OSError) as error:
            if not told:
                log.warning("waiting for Kafka", servers=config.bootstrap_servers, error=str(error))
                told = True
            await asyncio.sleep(RETRY_S)
        else:
            if told:
                log.info("Kafka answers", servers=config.bootstrap_servers)
            return cluster


def run_worker(config: StreamConfig, wire: Wire, health: Health) -> None:
    """Run a worker in this process; leaves by SystemExit with the worker's exit status."""
    readiness.mark(False)
    health.become(STARTING, kafka=config.bootstrap_servers)
    config = replace(config, cluster=asyncio.run(wait_for_topics(config)))
    quieten_libraries()
    config.state_dir.mkdir(parents=True, exist_ok=True)
    app = build_app(config, wire, health)
    worker = Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True)
    health.loop = worker.loop
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        raise SystemExit(FAILED if health.failed else ended.code) from None
