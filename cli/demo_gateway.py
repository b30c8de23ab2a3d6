"""A gateway of the demo's own, where its events are to go over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.settings import Settings
from cli.stack import say
from deploy.local.ports import free_port
from gateway.config import GatewayConfig
from gateway.server import running
from streams.kafka.topics import wait_for_topics


@asynccontextmanager
async def gateway_of(config: Settings, wanted: bool) -> AsyncIterator[str | None]:
    """Its address while the block runs; None where none is wanted."""
    if not wanted:
        yield None
        return
    spool = config.data_dir / "gateway-spool"
    given = GatewayConfig(config.bootstrap_servers, b"demo", port=free_port(), spool=spool)
    await wait_for_topics(config.bootstrap_servers, config.partitions, config.replication)
    async with running(given):
        say(f"events go over HTTP to http://{given.host}:{given.port}/v1/events")
        yield f"http://{given.host}:{given.port}"
