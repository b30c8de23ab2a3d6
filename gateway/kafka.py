"""Records to Kafka, each request answered when the broker has acknowledged all of its own.

The loop asks the client for acknowledgements, every 2 ms while somebody waits: a thread of its own would be
woken for each, which takes longer on a busy machine. What cannot be acknowledged in time is refused: the
sender sends it again, and events are counted by their identity.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.sending.producer import CLIENT, HOPELESS
from adapters.sending.records import OutgoingRecord
from schemas.brokers import librdkafka_settings

log = structlog.get_logger()
POLL_S, IDLE_POLL_S = 0.002, 0.2
CLOSE_S = 2.0
# A webhook waits for its answer: a batch is what comes within 5 ms, where an import has time for 20.
OURS = {"linger.ms": 5, "batch.size": 1024 * 1024}


class NotAcknowledged(ConnectionError):
    """Kafka did not take all records in time; some may be there."""


class Hopeless(ValueError):
    """Kafka will never take one of the records."""


class Pending:
    """The records of one request, and who waits for them."""

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = count
        self._error: KafkaError | None = None

    def settled(self, error: KafkaError | None, _message: Message) -> None:
        """A record is acknowledged, or given up."""
        self.settle(error)

    def settle(self, error: KafkaError | None, count: int = 1) -> None:
        """So many records are acknowledged, or given up."""
        self._left -= count
        self._error = self._error or error
        if self._left or self.done.done():
            return
        if self._error is None:
            self.done.set_result(None)
        elif self._error.code() in HOPELESS:
            self.done.set_exception(Hopeless(self._error.str()))
        else:
            self.done.set_exception(NotAcknowledged(self._error.str()))


class Acknowledged:
    """A producer whose `write` returns when Kafka has the records. `async with` starts and ends it."""

    def __init__(self, bootstrap_servers: str, limit_s: float, in_flight_max: int = 50_000) -> None:
        self._client = (
            CLIENT
            | OURS
            | librdkafka_settings(bootstrap_servers)
            | {
                "message.timeout.ms": round(limit_s * 1000),
                "queue.buffering.max.messages": in_flight_max,
                "error_cb": self._told,
            }
        )
        self._limit_s = limit_s
        self._held = self._trouble = ""
        self._waiting = 0

    @property
    def held(self) -> str:
        """Why Kafka must not be given anything yet; "" where it may be."""
        return self._held

    @property
    def trouble(self) -> str:
        """Why Kafka is held or what the client last said of its connections, "" since it acknowledged."""
        return self._held or self._trouble

    def hold(self, reason: str) -> None:
        """Kafka must not be given anything yet; or may be, where there is no reason."""
        self._held, self._trouble = reason, ""

    def doubt(self, reason: str) -> None:
        """Kafka did not take something, until it acknowledges again."""
        self._trouble = reason

    async def __aenter__(self) -> Self:
        self._producer = Producer(self._client)
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(IDLE_POLL_S, self._poll)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        until = self._loop.time() + CLOSE_S
        while len(self._producer) and self._loop.time() < until:
            self._producer.poll(0)
            await asyncio.sleep(POLL_S)
        self._next.cancel()
        self._producer.purge()
        self._producer.flush(0)

    async def write(self, records: Sequence[OutgoingRecord]) -> None:
        """Return when Kafka has all of them. Raises NotAcknowledged, Hopeless."""
        if not records:
            return
        pending = Pending(len(records))
        for number, record in enumerate(records):
            error = self._handed_over(record, pending)
            if error is not None:
                # Those before it are on their way; whoever sends the request again sends them again as well.
                pending.settle(error, len(records) - number)
                break
        if not self._waiting:
            self._next.cancel()
            self._next = self._loop.call_later(POLL_S, self._poll)
        self._waiting += 1
        try:
            await pending.done
        finally:
            self._waiting -= 1
        self._trouble = ""

    def _handed_over(self, record: OutgoingRecord, pending: Pending) -> KafkaError | None:
        """Give a record to the client; the error if it does not take it."""
        try:
            self._producer.produce(record.topic, record.value, record.key, on_delivery=pending.settled)
        except BufferError:
            return KafkaError(KafkaError._QUEUE_FULL, "too much waits for Kafka already")
        except KafkaException as exception:
            found: KafkaError = exception.args[0]
            return found
        return None

    def _poll(self) -> None:
        """Ask for what was acknowledged, and again soon."""
        try:
            self._producer.poll(0)
        finally:
            self._next = self._loop.call_later(POLL_S if self._waiting else IDLE_POLL_S, self._poll)

    def _told(self, error: KafkaError) -> None:
        """What the client says about its connections: once in the log until something is acknowledged."""
        if error.name() == "_ALL_BROKERS_DOWN":  # comes after the reason, and without it
            return
        if not self._trouble:
            with suppress(ValueError, OSError):  # a log that is closed must not end the acknowledgements
                log.warning("Kafka does not answer", error=error.str())
        self._trouble = error.str()
