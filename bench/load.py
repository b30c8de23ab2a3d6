"""Sends events at a steady rate, and knows of each when it was due and which version its row will have."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from bench.events import Message
from bench.stack import PARTITIONS
from schemas.placement import partition_of
from schemas.topics import CONTACT_EVENTS
from streams.stages.documents import row_version

TICK_S = 0.01


@dataclass(frozen=True, slots=True)
class Sent:
    """An event on its way. `due` is wall time; a sender that lags behind makes it no later."""

    message: Message
    due: float
    version: int  # of the contact's row from which on the event is in it


def batches(messages: Sequence[Message]) -> dict[int, list[Message]]:
    """What is due in one tick, by partition."""
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(partition_of(message.key, PARTITIONS), []).append(message)
    return found


def ticks(messages: Sequence[Message], rate: int) -> Iterator[Sequence[Message]]:
    """What is due in each tick; the fractions of an event even out."""
    sent, number = 0, 0
    while sent < len(messages):
        number += 1
        until = round(number * TICK_S * rate)
        yield messages[sent:until]
        sent = until


class Load:
    """A sender. `due` is told of each event before it is sent, `sent` once Kafka has it."""

    def __init__(
        self, servers: str, due: Callable[[Message, float], None], sent: Callable[[Sent], None]
    ) -> None:
        self._servers = servers
        self._due = due
        self._sent = sent

    async def run(self, messages: Sequence[Message], rate: int) -> float:
        """Send all of it; returns how many seconds behind the plan the last of it was sent."""
        async with AIOKafkaProducer(bootstrap_servers=self._servers, enable_idempotence=True) as producer:
            began = time.time()
            for number, part in enumerate(ticks(messages, rate)):
                due = began + number * TICK_S
                await asyncio.sleep(max(due - time.time(), 0))
                for partition, records in batches(part).items():
                    await self._send(producer, partition, records, due)
            behind = time.time() - due
            await producer.flush()
        return behind

    async def _send(
        self, producer: AIOKafkaProducer, partition: int, messages: Sequence[Message], due: float
    ) -> None:
        batch = producer.create_batch()
        for message in messages:
            self._due(message, due)
            assert batch.append(key=message.key, value=message.value, timestamp=None)

        def told(future: asyncio.Future) -> None:  # type: ignore[type-arg]
            first = future.result().offset
            for offset, message in enumerate(messages, first):
                self._sent(Sent(message, due, row_version(0, offset)))

        (await producer.send_batch(batch, CONTACT_EVENTS, partition=partition)).add_done_callback(told)
