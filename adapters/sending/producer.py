"""Sending to Kafka so that nothing is lost: every record is kept until the broker has confirmed it.

The client (librdkafka) keeps them, waits for a broker that is away, and sends again what was not confirmed,
for as long as it takes. That can write a batch twice; events are counted by their identity, so it cannot
count one twice.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.sending.records import Encode, OutgoingRecord, dead_letter_of, event_record
from schemas.brokers import librdkafka_settings
from schemas.codec import decode
from schemas.codec import encode as encode_single_object
from schemas.dead_letter import DeadLetter
from schemas.events import Event

log = structlog.get_logger(__name__)
IN_FLIGHT_MAX = 20_000
SAY_EVERY_S = 5.0
PAUSE_S = 0.5
POLL_S = 0.02
CLIENT = {
    "acks": "all",
    "enable.idempotence": False,  # with it the client spins while a broker does not answer (ADR 0018)
    "max.in.flight": 1,  # the order stays when something is sent again, and that is one batch at most
    "linger.ms": 20,
    "batch.size": 256 * 1024,
    "queue.buffering.max.kbytes": 64 * 1024,  # dead letters can be large
    "partitioner": "murmur2_random",  # that of Java and aiokafka: a contact stays in its partition
    "message.timeout.ms": 0,  # never; after the usual five minutes the client would give records up
    "reconnect.backoff.max.ms": 1_000,
    "log_level": 0,  # it would write to stderr; we say it ourselves, in one line
}
# The broker will never take these, however often they are sent.
HOPELESS = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.INVALID_TIMESTAMP,
)
# Topics that Ringback made before it had Kafka date records, or that somebody else made.
CLOCK = (
    "; the clock of this machine and that of the broker are too far apart: set both right, or set "
    "message.timestamp.type of the topic to LogAppendTime"
)
Offsets = dict[tuple[str, int], int]


class NotSent(ConnectionError):
    """Kafka could not be reached in the time given, or refuses the record for good."""


class EventSender:
    """Sends events and dead letters; `async with` starts it and, at the end, waits until all are confirmed.

    `on_wait` is told in a sentence whenever sending stands still; `timeout_s` bounds each such standstill
    (None: wait for ever). A record has no time of ours: Kafka dates it (streams/kafka/topics.py); when an
    event happened is inside it.
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
        self._confirmed = 0
        self._failed: deque[OutgoingRecord] = deque()
        self._refusal: NotSent | None = None
        self._trouble = ""  # what the client last said about its connections, until something is confirmed
        self._said_at = -SAY_EVERY_S

    async def __aenter__(self) -> Self:
        # One callback for all: with one a record Python's garbage collector took half of all CPU.
        ours = {"on_delivery": self._settled, "error_cb": self._told} | librdkafka_settings(self._servers)
        self._producer = Producer(CLIENT | ours | {"queue.buffering.max.messages": self._in_flight_max})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            self._producer.purge()
            self._producer.close()

    async def send(self, event: Event) -> None:
        """Send an event; returns as soon as there is room for the next one."""
        await self.send_record(event_record(event, self._encode))

    async def send_canonical(self, record: OutgoingRecord) -> None:
        """Send an event of which the canonical bytes are known, which on the wire may be others."""
        if self._encode is not encode_single_object:
            record = OutgoingRecord(record.topic, record.key, self._encode(decode(record.value)))
        await self.send_record(record)

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Send a refused line to the dead-letter topic."""
        await self.send_record(dead_letter_of(refused, time.time_ns() // 1_000_000))

    async def send_record(self, record: OutgoingRecord) -> None:
        """Send a record. Raises NotSent."""
        if self._failed or not self._handed_over(record):
            await self._until(lambda: not self._failed and self._handed_over(record))

    async def flush(self) -> Offsets:
        """Wait until every record is confirmed; the last offset written in each (topic, partition)."""
        await self._until(lambda: not self._failed and not len(self._producer))
        return dict(self.last_offsets)

    def _handed_over(self, record: OutgoingRecord) -> bool:
        """Give a record to the client; False if it does not take it now. Raises NotSent."""
        try:
            self._producer.produce(record.topic, record.value, record.key)
        except BufferError:
            return False
        except KafkaException as exception:
            error = exception.args[0]
            if error.code() in HOPELESS:
                raise refusal(record.topic, error) from None
            self._trouble = error.str()
            return False
        self._producer.poll(0)
        return True

    def _settled(self, error: KafkaError | None, message: Message) -> None:
        """The broker has confirmed a record, or the client has given it up."""
        topic = message.topic() or ""
        if error is not None:
            self._failed.append(OutgoingRecord(topic, message.key() or b"", message.value() or b""))
            self._trouble = error.str()
            if error.code() in HOPELESS:
                self._refusal = refusal(topic, error)
            return
        self._confirmed += 1
        where, offset = (topic, message.partition() or 0), message.offset()
        if offset is not None:
            self.last_offsets[where] = max(offset, self.last_offsets.get(where, -1))

    def _told(self, error: KafkaError) -> None:
        """What the client says about its connections."""
        if error.name() != "_ALL_BROKERS_DOWN":  # comes after the reason, and without it
            self._trouble = error.str()

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Let the client work until a condition holds; says so when nothing moves. Raises NotSent."""
        standstill = Standstill(self._timeout_s)
        while not reached():
            confirmed = self._confirmed
            await asyncio.sleep(POLL_S)
            self._producer.poll(0)
            await self._send_again()
            if self._confirmed > confirmed:
                standstill, self._trouble = Standstill(self._timeout_s), ""
                continue
            count, cause = len(self._producer) + len(self._failed), self._trouble and f" ({self._trouble})"
            message = f"waiting for Kafka at {self._servers}: {count} records are not confirmed{cause}"
            if standstill.lasts(PAUSE_S if self._trouble else SAY_EVERY_S):
                self._say(message)
            standstill.check(message)

    async def _send_again(self) -> None:
        """Give the client once more what it gave up."""
        if self._refusal is not None:
            raise self._refusal
        if self._failed:
            await asyncio.sleep(PAUSE_S)
        for _ in range(len(self._failed)):  # not those that fail meanwhile: they wait for the next pause
            if not self._handed_over(self._failed[0]):
                break
            self._failed.popleft()

    def _say(self, message: str) -> None:
        """Tell what is waited for, only once in a while."""
        now = time.monotonic()
        if now - self._said_at >= SAY_EVERY_S:
            self._said_at = now
            self._on_wait(message)


def refusal(topic: str, error: KafkaError) -> NotSent:
    """What to raise for a record that the broker will never take."""
    hint = CLOCK if error.code() == KafkaError.INVALID_TIMESTAMP else ""
    return NotSent(f"Kafka refuses a record for {topic}: {error.name()} ({error.str()}){hint}")


class Standstill:
    """How long nothing has moved."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._since = time.monotonic()

    def lasts(self, seconds: float) -> bool:
        """Whether it is that long."""
        return time.monotonic() - self._since >= seconds

    def check(self, message: str) -> None:
        """Raises NotSent with the message once the time is up."""
        if self._timeout_s is not None and self.lasts(self._timeout_s):
            raise NotSent(f"{message}; gave up after {self._timeout_s:g} s")
