"""The ledger of forgotten customers in Kafka: read by worker, sink and senders before they do anything."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import encode
from schemas.events import Event
from schemas.forgotten import Ledger, read_ledger
from schemas.topics import FORGOTTEN
from streams.kafka.connecting import aiokafka_settings, explained, passes
from streams.kafka.decoding import Wire
from streams.kafka.patience import Notice, patiently
from streams.kafka.record import KeyValue

log = structlog.get_logger()
POLL_MS = 500
LEDGER_EVERY_S = 10.0
WHERE = TopicPartition(FORGOTTEN, 0)


async def stored_ledger(bootstrap_servers: str) -> Ledger:
    """The ledger as it stands; a broker that is away is waited for. Raises ValueError where it is damaged."""
    notice = Notice("waiting for Kafka to read whom to forget", "Kafka answers", servers=bootstrap_servers)
    return await patiently(lambda: _read(bootstrap_servers), passes, notice)


async def follow_ledger(bootstrap_servers: str, every_s: float = LEDGER_EVERY_S) -> AsyncIterator[Ledger]:
    """The ledger as it stands, again and again, without end; one that is damaged is told of and left out."""
    while True:
        await asyncio.sleep(every_s)
        try:
            yield await stored_ledger(bootstrap_servers)
        except (ValueError, TypeError, KeyError) as error:
            log.error("the ledger of forgotten customers cannot be read", error=repr(error))


async def _read(bootstrap_servers: str) -> Ledger:
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(bootstrap_servers), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    found: dict[bytes, bytes | None] = {}
    async with explained(bootstrap_servers):
        await consumer.start()
    try:
        consumer.assign([WHERE])
        end = (await consumer.end_offsets([WHERE]))[WHERE]
        begin = (await consumer.beginning_offsets([WHERE]))[WHERE]
        while begin < end and await consumer.position(WHERE) < end:
            for record in (await consumer.getmany(WHERE, timeout_ms=POLL_MS)).get(WHERE, []):
                found[record.key] = record.value
    finally:
        await consumer.stop()
    return read_ledger((key.decode(), orjson.loads(value)) for key, value in found.items() if value)


def ledger_records(documents: Iterable[tuple[str, Any]]) -> list[KeyValue]:
    """Records of the ledger's topic."""
    return [(name.encode(), orjson.dumps(document)) for name, document in documents]


def forgetting(wire: Wire, ledger: Ledger) -> Wire:
    """The same wire, on which nobody is named who was forgotten."""
    if not ledger:
        return wire
    decode = wire.decode

    def decode_known(data: bytes) -> tuple[Event, bytes]:
        event, canonical = decode(data)
        known = ledger.applied(event)
        return (event, canonical) if known is event else (known, encode(known))

    return replace(wire, decode=decode_known, forgotten=ledger)
