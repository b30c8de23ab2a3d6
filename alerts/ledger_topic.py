"""The ledger in its topic: rows by key, as they were last written."""

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.brokers import librdkafka_settings
from schemas.topics import ALERT_GROUP, ALERT_LEDGER

ANSWER_S = 10.0
QUIET: dict[str, Any] = {
    "error_cb": lambda _: None,
    "log_level": 0,
}  # what fails is told where it is asked for
BEAT = b'"beat"'  # a key that is no row


def read_all(servers: str) -> dict[bytes, bytes]:
    """The ledger as it stands in Kafka. Raises KafkaException."""
    consumer = Consumer(
        {
            "group.id": f"{ALERT_GROUP}-reading",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        | librdkafka_settings(servers)
        | QUIET
    )
    found: dict[bytes, bytes] = {}
    ends = time.monotonic() + ANSWER_S
    try:
        consumer.assign([TopicPartition(ALERT_LEDGER, 0, 0)])
        while time.monotonic() < ends:
            message = consumer.poll(1.0)
            if message is None:
                continue
            ends = time.monotonic() + ANSWER_S
            if (error := message.error()) is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    return found
                raise KafkaException(error)
            key, value = message.key(), message.value()
            if key is None or key == BEAT:
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    finally:
        consumer.close()


def write_all(servers: str, records: Mapping[bytes, bytes]) -> None:
    """What is asked of whoever has the voice; it is taken within a second. Raises KafkaException."""
    failed: list[KafkaError] = []
    producer = Producer(librdkafka_settings(servers) | {"enable.idempotence": True} | QUIET)
    for key, value in records.items():
        producer.produce(
            ALERT_LEDGER, key=key, value=value, partition=0,
            on_delivery=lambda error, _: failed.append(error) if error is not None else None,
        )  # fmt: skip
    if producer.flush(ANSWER_S):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    if failed:
        raise KafkaException(failed[0])
