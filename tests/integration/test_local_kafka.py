"""The local broker, real: data survives stops and kills, and clients find it again quickly."""

import asyncio
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.errors import LocalStackError
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from deploy.local.supervisor import Supervisor

pytestmark = pytest.mark.stack

TOPIC = "numbers"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    configured = os.environ.get("RINGBACK_CACHE_DIR")
    cache_dir = Path(configured) if configured else default_cache_dir()
    runtime = ensure_runtime(cache_dir, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    broker = LocalKafka(tmp_path_factory.mktemp("daten ü"), free_port(), runtime)
    started = time.monotonic()
    broker.start()
    print(f"first start: {time.monotonic() - started:.1f} s")
    asyncio.run(create_topic(broker))
    yield broker
    broker.stop()


async def create_topic(broker: LocalKafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()


async def produce(broker: LocalKafka, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True, compression_type="lz4"
    ) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value)


async def everything(broker: LocalKafka) -> list[bytes]:
    partition = TopicPartition(TOPIC, 0)
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while len(values) < end:
            values.append((await consumer.getone()).value)
        return values


async def test_data_survives_a_clean_stop(kafka: LocalKafka) -> None:
    before = [*await everything(kafka), b"a", b"b"]
    await produce(kafka, [b"a", b"b"])
    assert await everything(kafka) == before

    started = time.monotonic()
    kafka.stop()
    stopped = time.monotonic()
    assert not kafka.alive()
    assert kafka.pid is None
    kafka.start()
    print(f"clean stop: {stopped - started:.1f} s, start: {time.monotonic() - stopped:.1f} s")
    assert await everything(kafka) == before


def wait_until_dead(broker: LocalKafka) -> None:
    while broker.alive():
        time.sleep(0.01)


async def test_usable_again_soon_after_kill_9(kafka: LocalKafka) -> None:
    await produce(kafka, [b"c"])
    before = await everything(kafka)
    assert kafka.pid is not None

    os.kill(kafka.pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until_dead(kafka)
    kafka.start()
    await produce(kafka, [b"d"])
    seconds = time.monotonic() - killed
    print(f"usable after kill -9: {seconds:.1f} s")
    assert seconds < 15
    assert await everything(kafka) == [*before, b"d"]


async def test_requests_that_are_only_announced_take_no_memory(kafka: LocalKafka) -> None:
    """M1: five connections that announce 100 MB each, 60 bytes in all, ended a broker of 400 MB."""
    before = await everything(kafka)
    with ExitStack() as closing:
        for _ in range(40):
            wire = closing.enter_context(socket.create_connection(("127.0.0.1", kafka.port), timeout=5))
            wire.sendall(struct.pack(">i", 100 * 1024 * 1024) + bytes(8))
        for _ in range(2):  # what is let in at most, and never sent
            wire = closing.enter_context(socket.create_connection(("127.0.0.1", kafka.port), timeout=5))
            wire.sendall(struct.pack(">i", 16 * 1024 * 1024 - 1) + bytes(8))
        await asyncio.sleep(2)
        assert kafka.ready()
    await produce(kafka, [b"after"])
    assert await everything(kafka) == [*before, b"after"]


def test_supervisor_brings_a_killed_broker_back(kafka: LocalKafka) -> None:
    kafka.stop()
    lines: list[str] = []
    supervisor = Supervisor([kafka.service()], lines.append)
    supervisor.start()
    killed = kafka.pid
    assert killed is not None

    def disturb() -> None:
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while "kafka is ready again" not in lines and time.monotonic() < deadline:
            time.sleep(0.01)
        supervisor.request_stop()

    other = threading.Thread(target=disturb)
    other.start()
    supervisor.run()
    other.join()
    assert lines == ["kafka died; starting it again in 0.2 s", "kafka is ready again"]
    assert not kafka.alive()
    kafka.start()


def test_folder_of_a_running_broker_is_refused(kafka: LocalKafka) -> None:
    second = LocalKafka(kafka.data_dir, free_port(), kafka.runtime)
    with pytest.raises(LocalStackError, match=f"in use by another Kafka broker, process {kafka.pid}"):
        second.start()


def test_port_of_a_running_broker_is_refused(kafka: LocalKafka, tmp_path: Path) -> None:
    second = LocalKafka(tmp_path, kafka.port, kafka.runtime)
    with pytest.raises(LocalStackError, match=f"port {kafka.port}.*\n.*RINGBACK_KAFKA_PORT"):
        second.start()
