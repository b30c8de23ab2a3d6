"""Evaluators of several machines, one voice: who is given the one partition of the ledger's topic.

Kafka's group names the owner, and another one within its session (10 s) when that dies or hangs. The fencing
number is the epoch of one transactional id: who takes over raises it before it reads the ledger, and what an
evaluator writes that was stopped and woken is refused. It speaks only of what it has written, and only after
a write that was not refused.
"""

import threading
import time
from contextlib import suppress

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from alerts.copied import changed, is_copied, is_copied_row, replace_all, track, track_all
from alerts.ledger import Ledger
from alerts.ledger_topic import ANSWER_S, BEAT, QUIET, read_all
from alerts.shared_retries import Retry, retry_in
from alerts.silences import Row, Silences, asked_in
from schemas.brokers import librdkafka_settings
from schemas.topics import ALERT_GROUP, ALERT_LEDGER

log = structlog.get_logger()
SESSION_S, HANGS_S = 10.0, 30.0
PROVEN_S = 2.0  # so long a write that was not refused speaks for itself
NOT_OURS = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}


class Voice:
    """Whether it is this evaluator's turn. `ledger` is a connection of its own, used under a lock."""

    def __init__(self, servers: str, ledger: Ledger) -> None:
        self._servers, self._ledger = servers, ledger
        self._silences = Silences(ledger)
        track(ledger.db)
        self._lock = threading.RLock()
        self._given = False  # Kafka has named us the owner
        self._producer: Producer | None = None  # ours since the ledger was read
        self._fenced = False  # another one was faster: back into the group, as one who waits
        self._proven_at = 0.0
        self._heard: dict[str, Row] = {}  # silences of other machines that are not in the ledger yet
        self._retries = set[Retry]()  # the same of what is to be tried again

    def ours(self) -> bool:
        """May it decide? It is to be asked again before anything is said."""
        return self._producer is not None

    def told(self) -> bool:
        """Copy what has changed; may it speak of it? False where it is not its turn, or Kafka is away."""
        with self._lock:
            if self._producer is None:
                return False
            self._take_heard()
            while rows := changed(self._ledger.db):
                if not self._write(self._producer, rows):
                    return False
                with self._ledger.transaction():
                    is_copied(self._ledger.db, rows)
            fresh = time.monotonic() - self._proven_at < PROVEN_S
            return fresh or self._write(self._producer, {})

    def _write(self, producer: Producer, rows: dict[bytes, bytes | None]) -> bool:
        """Rows in one transaction of Kafka's."""
        try:
            producer.begin_transaction()
            for key, value in (rows | {BEAT: b"1"}).items():
                producer.produce(ALERT_LEDGER, key=key, value=value, partition=0)
            producer.commit_transaction(ANSWER_S)
        except (KafkaException, BufferError) as error:
            reason = error.args[0] if error.args else None
            if isinstance(reason, KafkaError) and (reason.code() in NOT_OURS or reason.fatal()):
                self._silent()
                self._given, self._fenced = False, True
                return False
            log.warning("alerts wait for Kafka", error=str(reason))
            with suppress(KafkaException):
                producer.abort_transaction(ANSWER_S)
            return False
        self._proven_at = time.monotonic()
        return True

    def keep(self, leave: threading.Event) -> None:
        """Stay in the group until told to leave; take over when it is our turn. For a thread of its own."""
        consumer = Consumer(
            {
                "group.id": ALERT_GROUP,
                "enable.auto.commit": False,
                "session.timeout.ms": int(SESSION_S * 1000),
                "heartbeat.interval.ms": int(SESSION_S * 300),
                "max.poll.interval.ms": int(HANGS_S * 1000),
                "partition.assignment.strategy": "cooperative-sticky",
            }
            | librdkafka_settings(self._servers)
            | QUIET
        )
        self._join(consumer)
        try:
            while not leave.is_set():
                self._hear(consumer.poll(0.3))
                if self._fenced:
                    consumer.unsubscribe()
                    self._join(consumer)
                if self._given and self._producer is None:
                    self._take_over()
        finally:
            self._lost(consumer, [])
            consumer.close()

    def _join(self, consumer: Consumer) -> None:
        self._fenced = False
        consumer.subscribe([ALERT_LEDGER], on_assign=self._assigned, on_revoke=self._lost, on_lost=self._lost)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What is there by now is read when it takes over; what comes after it, as it comes."""
        for partition in partitions:
            try:
                partition.offset = consumer.get_watermark_offsets(partition, ANSWER_S)[1]
            except KafkaException:
                partition.offset = OFFSET_BEGINNING
        consumer.incremental_assign(partitions)
        self._given = self._given or bool(partitions)

    def _hear(self, message: Message | None) -> None:
        """What was asked for on another machine: noted, and taken before anything more is said."""
        if message is None or message.error() is not None:
            return
        row = asked_in(message.key(), message.value())
        if row is not None:
            self._heard[row[0]] = row
        if (retry := retry_in(message.key(), message.value())) is not None:
            self._retries.add(retry)

    def _take_heard(self) -> None:
        for id_, row in [*self._heard.items()]:
            self._silences.put(row)
            if self._heard.get(id_) is row:  # it was not changed again meanwhile
                del self._heard[id_]
        while self._retries:
            self._again(self._retries.pop())

    def _again(self, retry: Retry) -> None:
        self._ledger.retry(retry.id, time.time_ns() // 1_000_000, retry.given_up_at)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Kafka may say so before a write is refused: both are the end of its turn."""
        self._given = False
        with self._lock:
            self._silent(moved=bool(partitions))

    def _silent(self, moved: bool = True) -> None:
        """Its turn is over; said once, and not where it leaves of its own will."""
        if moved and self._producer is not None:
            log.warning("another evaluator has taken over")
        self._producer = None

    def _take_over(self) -> None:
        """Fence who was before, and take its ledger."""
        try:
            producer = Producer(
                {
                    "transactional.id": ALERT_GROUP,
                    "transaction.timeout.ms": int(ANSWER_S * 1000),
                }
                | librdkafka_settings(self._servers)
                | QUIET
            )
            producer.init_transactions(ANSWER_S)
            rows = read_all(self._servers)
        except KafkaException as error:
            log.warning("alerts wait for Kafka", error=str(error.args[0]))
            time.sleep(1)
            return
        with self._lock, self._ledger.transaction():
            if any(is_copied_row(key) for key in rows):
                replace_all(self._ledger.db, rows.items())
            else:  # the first evaluator of all brings the ledger that it has
                track_all(self._ledger.db)
            for row in filter(None, (asked_in(key, value) for key, value in rows.items())):
                self._silences.put(row)
            for retry in filter(None, (retry_in(key, value) for key, value in rows.items())):
                self._again(retry)
            self._producer, self._proven_at = producer, 0.0
        log.info("alerts are evaluated here", rows=len(rows))
