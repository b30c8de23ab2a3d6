"""A gateway of the test's own, and what stands in Kafka after it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.ports import free_port
from gateway.config import GatewayConfig
from gateway.server import running
from gateway.taking import Gateway
from schemas.codec import decode
from schemas.events import Event
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, SOURCE_HEARTBEATS
from streams.kafka.topics import topic_specs

TOKEN = b"a-token-of-thirty-two-characters"
BEARER = {"Authorization": f"Bearer {TOKEN.decode()}"}
PARTITIONS = 4
TOPICS = (CONTACT_EVENTS, AGENT_EVENTS, SOURCE_HEARTBEATS)


def config_of(bootstrap_servers: str, **changes: object) -> GatewayConfig:
    """A gateway on a free port, with a token; `changes` replace what else it is told."""
    config = GatewayConfig(bootstrap_servers, b"k" * 32, port=free_port(), tokens=(TOKEN,))
    return replace(config, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def client_of(config: GatewayConfig) -> AsyncIterator[tuple[Gateway, ClientSession]]:
    """A running gateway, and a client whose paths are the gateway's."""
    address = f"http://{config.host}:{config.port}"
    async with running(config) as gateway, ClientSession(address) as session:
        yield gateway, session


async def stored(bootstrap_servers: str, *topics: str) -> list[bytes]:
    """Values of all records in topics."""
    found: list[bytes] = []
    specs = [spec for spec in topic_specs(PARTITIONS) if spec.name in topics]
    places = [TopicPartition(spec.name, number) for spec in specs for number in range(spec.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [record.value for record in records]
    return found


async def events_stored(bootstrap_servers: str) -> list[Event]:
    """All events in Kafka, as they were written."""
    return [decode(value) for value in await stored(bootstrap_servers, *TOPICS)]
