"""EventSender on a real Kafka: partitions, topics that are not allowed, a broker that does not answer."""

import asyncio
import os
import random
import signal
import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import KafkaError, Producer
from support.stack import Stack

from adapters.sending.producer import EventSender, NotSent
from adapters.sending.records import OutgoingRecord
from schemas.topics import CONTACT_EVENTS
from streams.kafka.topics import ensure_topics, topic_specs

PARTITIONS = 4


async def records(stack: Stack) -> dict[bytes, set[int]]:
    """Keys of contact-events, and the partitions that each is in."""
    found: dict[bytes, set[int]] = {}
    tps = [TopicPartition(CONTACT_EVENTS, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers) as consumer:
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for tp, fetched in (await consumer.getmany(timeout_ms=200)).items():
                for record in fetched:
                    found.setdefault(record.key, set()).add(tp.partition)
    return found


def keys(name: str, count: int) -> list[bytes]:
    """Keys of every length, of any letters."""
    rng = random.Random(name)
    letters = [chr(number) for number in (*range(32, 127), *range(0xC0, 0x250), 0x20AC, 0x1F600)]
    return [f"{name}{n}{''.join(rng.choices(letters, k=n % 41))}".encode() for n in range(count)]


async def send_all(sender: EventSender, names: list[bytes]) -> None:
    for name in names:
        await sender.send_record(OutgoingRecord(CONTACT_EVENTS, name, b"v" * 100))


async def test_a_key_is_in_the_partition_where_other_producers_put_it(stack: Stack) -> None:
    await ensure_topics(stack.bootstrap_servers, PARTITIONS, 1)
    sent = keys("a", 5_000)
    async with EventSender(stack.bootstrap_servers, timeout_s=30) as sender:
        await send_all(sender, sent)
    found, place, numbers = await records(stack), DefaultPartitioner(), list(range(PARTITIONS))
    assert {key: found[key] for key in sent} == {key: {place(key, numbers, numbers)} for key in sent}


async def test_a_topic_that_kafka_does_not_allow(stack: Stack) -> None:
    with pytest.raises(NotSent, match="not a topic"):
        async with EventSender(stack.bootstrap_servers, timeout_s=30) as sender:
            await sender.send_record(OutgoingRecord("not a topic", b"k", b"v"))


async def test_a_sender_whose_clock_is_days_ahead_or_behind_is_let_in_everywhere(stack: Stack) -> None:
    """Kafka refuses what is dated an hour ahead unless it dates records itself; so for each topic of ours."""
    await ensure_topics(stack.bootstrap_servers, PARTITIONS, 1)
    refused: list[tuple[str, KafkaError]] = []
    producer = Producer({"bootstrap.servers": stack.bootstrap_servers, "acks": "all"})
    names = [spec.name for spec in topic_specs(PARTITIONS)]
    for days in (-4_000, -3, 3, 4_000):
        for name in names:
            producer.produce(
                name,
                b"v",
                b"clock",
                timestamp=round((time.time() + days * 86_400) * 1000),
                on_delivery=lambda error, message: error and refused.append((message.topic(), error)),
            )
    assert producer.flush(30) == 0
    assert refused == []


async def test_another_s_topic_that_refuses_our_clock_is_said_once(stack: Stack) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        strict = {"message.timestamp.before.max.ms": "1"}  # less than the 20 ms for which records gather
        await admin.create_topics([NewTopic("strict", 1, 1, topic_configs=strict)])
    finally:
        await admin.close()
    with pytest.raises(NotSent, match="clock of this machine"):
        async with EventSender(stack.bootstrap_servers, timeout_s=30) as sender:
            await sender.send_record(OutgoingRecord("strict", b"k", b"v"))


@pytest.mark.parametrize("partitions", [1, PARTITIONS])
async def test_a_broker_that_does_not_answer_costs_no_cpu(stack: Stack, partitions: int) -> None:
    """With idempotence librdkafka 2.16 took a whole core here, and with one partition whatever was set."""
    if stack.kafka is None or stack.kafka.pid is None:
        pytest.skip("only the local stack's broker is stopped")
    await ensure_topics(stack.bootstrap_servers, PARTITIONS, 1)
    sent, said = keys("c" if partitions == 1 else "d", 30_000), []
    place, numbers = DefaultPartitioner(), list(range(PARTITIONS))
    sent = [key for key in sent if place(key, numbers, numbers) < partitions]
    async with EventSender(stack.bootstrap_servers, on_wait=said.append, in_flight_max=5_000) as sender:
        await sender.send_record(OutgoingRecord(CONTACT_EVENTS, sent[0], b"v"))
        await sender.flush()
        os.kill(stack.kafka.pid, signal.SIGSTOP)
        try:
            sending = asyncio.create_task(send_all(sender, sent))
            await asyncio.sleep(2)
            used = time.process_time()
            await asyncio.sleep(4)
            used = time.process_time() - used
        finally:
            os.kill(stack.kafka.pid, signal.SIGCONT)
        await sending
    assert used < 0.5
    assert "not confirmed" in said[0]
    assert set(sent) <= (await records(stack)).keys()
