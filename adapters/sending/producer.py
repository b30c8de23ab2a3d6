"""Sending to Kafka so that nothing is lost: every record is kept until the broker has confirmed it.

A broker that is away is waited for, and what was not confirmed is sent again. That can write a record
twice; events are counted by their identity, so it cannot count one twice.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)

from adapters.sending.records import Encode, OutgoingRecord, dead_letter_of, event_record
from schemas.codec import encode as encode_single_object
from schemas.dead_letter import DeadLetter
from schemas.events import Event

log = structlog.get_logger(__name__)
IN_FLIGHT_MAX = 20_000
SAY_EVERY_S = 5.0
PAUSE_S = 0.5
LINGER_MS = 20
BATCH_BYTES = 256 * 1024
# The broker will never take these, however often they are sent.
HOPELESS = (MessageSizeTooLargeError, InvalidTopicError, TopicAuthorizationFailedError)
NOT_IDEMPOTENT = (UnsupportedVersionError, IncompatibleBrokerVersion)
Offsets = dict[tuple[str, int], int]


class NotSent(ConnectionError):
    """Kafka could not be reached in the time given, or refuses the record for good."""


class EventSender:
    """Sends events and dead letters; `async with` starts it and, at the end, waits until all are confirmed.

    `on_wait` is told in a sentence whenever sending stands still; `timeout_s` bounds each such standstill
    (None: wait for ever). The record timestamp is the time of sending, since retention goes by it and must
    not delete history; when an event happened is inside it.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        encode: Encode = encode_single_object,
        on_wait: Callable[[str], None] | None = None,
        timeout_s: float | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> None:
        self.last_offsets: Offsets = {}
        self._servers = bootstrap_servers
        self._encode = encode
        self._on_wait = on_wait or (lambda message: log.warning("kafka_wait", message=message))
        self._timeout_s = timeout_s
        self._in_flight_max = in_flight_max
        self._idempotent = True
        self._producer: Any = None
        self._unconfirmed: dict[asyncio.Future[Any], OutgoingRecord] = {}
        self._failed: list[OutgoingRecord] = []
        self._problem: BaseException | None = None
        self._progress = asyncio.Event()
        self._said = ("", 0.0)

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._disconnect()

    async def send(self, event: Event) -> None:
        """Send an event; returns as soon as there is room for the next one."""
        await self.send_record(event_record(event, self._encode))

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Send a refused line to the dead-letter topic."""
        await self.send_record(dead_letter_of(refused, time.time_ns() // 1_000_000))

    async def send_record(self, record: OutgoingRecord) -> None:
        """Send a record. Raises NotSent."""
        if self._failed:
            await self._recover()
        if len(self._unconfirmed) >= self._in_flight_max:
            await self._until(lambda: len(self._unconfirmed) < self._in_flight_max)
        await self._hand_over(record)

    async def flush(self) -> Offsets:
        """Wait until every record is confirmed; the last offset written in each (topic, partition)."""
        while self._unconfirmed or self._failed:
            if self._failed:
                await self._recover()
            await self._until(lambda: not self._unconfirmed)
        return dict(self.last_offsets)

    async def _hand_over(self, record: OutgoingRecord) -> None:
        """Give a record to the client, waiting for topic metadata or for room as long as it takes."""
        stopwatch = Standstill(self._timeout_s)
        while True:
            try:
                async with asyncio.timeout(SAY_EVERY_S):
                    future = await self._producer.send(record.topic, key=record.key, value=record.value)
            except HOPELESS as error:
                raise NotSent(f"Kafka refuses a record for {record.topic}: {error!r}") from error
            except (TimeoutError, KafkaTimeoutError):
                stopwatch.check(self._say(f"no room to write to {record.topic}"))
            except KafkaError as error:
                stopwatch.check(self._say(f"topic {record.topic}: {error!r}"))
                if not error.retriable:
                    await self._reconnect()
                await asyncio.sleep(PAUSE_S)
            else:
                self._unconfirmed[future] = record
                future.add_done_callback(self._settled)
                return

    def _settled(self, done: "asyncio.Future[Any]") -> None:
        """The broker has confirmed a record, or has not."""
        record = self._unconfirmed.pop(done)
        self._progress.set()
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error is not None:
            self._failed.append(record)
            self._problem = error
            return
        at = done.result()
        where = (at.topic, at.partition)
        self.last_offsets[where] = max(at.offset, self.last_offsets.get(where, -1))

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait for confirmations until a condition holds or records failed; says so when none come."""
        stopwatch = Standstill(self._timeout_s)
        while not reached() and not self._failed:
            self._progress.clear()
            try:
                await asyncio.wait_for(self._progress.wait(), SAY_EVERY_S)
                stopwatch = Standstill(self._timeout_s)
            except TimeoutError:
                stopwatch.check(self._say(f"{len(self._unconfirmed)} records are not confirmed"))

    async def _recover(self) -> None:
        """Send again what failed, over a new connection: after a failure the old one is of no use."""
        if isinstance(self._problem, HOPELESS):
            raise NotSent(f"Kafka refuses a record: {self._problem!r}") from self._problem
        self._say(f"{len(self._failed)} records failed ({self._problem!r}), sending them again")
        if self._idempotent and not self.last_offsets:
            self._drop_idempotence(self._problem)  # it never worked here: the broker may not allow it
        await self._reconnect()
        again, self._failed, self._problem = self._failed, [], None
        while again:
            await self._hand_over(again[-1])
            again.pop()

    async def _connect(self) -> None:
        stopwatch = Standstill(self._timeout_s)
        while True:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                acks="all",
                enable_idempotence=self._idempotent,
                linger_ms=LINGER_MS,
                max_batch_size=BATCH_BYTES,
            )
            try:
                await self._producer.start()
                return
            except NOT_IDEMPOTENT as error:
                await self._disconnect()
                if not self._idempotent:
                    raise NotSent(f"Kafka at {self._servers} is too old: {error!r}") from error
                self._drop_idempotence(error)
            except (KafkaError, OSError) as error:
                await self._disconnect()
                stopwatch.check(self._say(str(error) or repr(error)))
                await asyncio.sleep(PAUSE_S)

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), SAY_EVERY_S)
        except TimeoutError:
            # What cannot be delivered is flushed for ever, and only closing its sender ends the attempts.
            with suppress(asyncio.CancelledError, KafkaError):
                await producer._sender.close()
            await producer.client.close()
        except (KafkaError, OSError) as error:
            log.warning("kafka_close", error=repr(error))
        for future in list(self._unconfirmed):
            future.cancel()
        await asyncio.sleep(0)  # lets _settled put them with the failed ones

    async def _reconnect(self) -> None:
        await self._disconnect()
        await self._connect()

    def _drop_idempotence(self, error: BaseException | None) -> None:
        self._idempotent = False
        log.warning("kafka_idempotence_off", error=repr(error), effect="a retry may write a record twice")

    def _say(self, message: str) -> str:
        """Tell what is waited for, the same thing only once in a while."""
        text = f"waiting for Kafka at {self._servers}: {message}"
        now = time.monotonic()
        if text != self._said[0] or now - self._said[1] >= SAY_EVERY_S:
            self._said = (text, now)
            self._on_wait(text)
        return text


class Standstill:
    """How long nothing has moved."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._since = time.monotonic()

    def check(self, message: str) -> None:
        """Raises NotSent with the message once the time is up."""
        if self._timeout_s is not None and time.monotonic() - self._since >= self._timeout_s:
            raise NotSent(f"{message}; gave up after {self._timeout_s:g} s")
