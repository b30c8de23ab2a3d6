"""Records to Kafka, each request answered when the broker has acknowledged all of its own.

A thread asks the client for acknowledgements, since that blocks; everything else is the loop's. What cannot
be acknowledged in time is refused: the sender sends it again, and events are counted by their identity.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.sending.producer import CLIENT, HOPELESS
from adapters.sending.records import OutgoingRecord

log = structlog.get_logger()
POLL_S = 0.2
CLOSE_S = 2.0
# A webhook waits for its answer: a batch is what comes within 2 ms, where an import has time for 20.
OURS = {"linger.ms": 2, "batch.size": 1024 * 1024}


class NotAcknowledged(ConnectionError):
    """Kafka did not take all records in time; some may be there."""


class Hopeless(ValueError):
    """Kafka will never take one of the records."""


class Pending:
    """The records of one request, and who waits for them. The polling thread and the loop both count."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self._left = count
        self._loop = loop
        self._error: KafkaError | None = None
        self._lock = threading.Lock()

    def settled(self, error: KafkaError | None, _message: Message) -> None:
        """A record is acknowledged, or given up."""
        self.settle(error)

    def settle(self, error: KafkaError | None, count: int = 1) -> None:
        """So many records are acknowledged, or given up."""
        with self._lock:
            self._left -= count
            self._error = self._error or error
            last = self._left == 0
        if last and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.done.done():
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
            | {
                "bootstrap.servers": bootstrap_servers,
                "message.timeout.ms": round(limit_s * 1000),
                "queue.buffering.max.messages": in_flight_max,
                "error_cb": self._told,
            }
        )
        self._limit_s = limit_s
        self._held = self._trouble = ""
        self._stop = threading.Event()

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
        self._thread = threading.Thread(target=self._poll, name="acknowledgements", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._close)

    async def write(self, records: Sequence[OutgoingRecord]) -> None:
        """Return when Kafka has all of them. Raises NotAcknowledged, Hopeless."""
        if not records:
            return
        pending = Pending(len(records), asyncio.get_running_loop())
        for number, record in enumerate(records):
            error = self._handed_over(record, pending)
            if error is not None:
                # Those before it are on their way; whoever sends the request again sends them again as well.
                pending.settle(error, len(records) - number)
                break
        await pending.done
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
        while not self._stop.is_set():
            self._producer.poll(POLL_S)

    def _close(self) -> None:
        self._producer.flush(CLOSE_S)
        self._stop.set()
        self._thread.join()
        self._producer.purge()
        self._producer.flush(0)

    def _told(self, error: KafkaError) -> None:
        """What the client says about its connections: once in the log until something is acknowledged."""
        if error.name() == "_ALL_BROKERS_DOWN":  # comes after the reason, and without it
            return
        if not self._trouble:
            with suppress(ValueError, OSError):  # a log that is closed must not end the acknowledgements
                log.warning("Kafka does not answer", error=error.str())
        self._trouble = error.str()
