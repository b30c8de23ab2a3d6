"""When events arrive: in the changelog of contacts, and in the table `contacts` of ClickHouse."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import ceil
from random import Random

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from clickhouse_connect.driver.client import Client

from bench.events import Message
from bench.load import Sent
from bench.stack import PARTITIONS
from schemas.topics import CONTACTS_CHANGELOG
from streams.kafka.topics import LATEST
from streams.stages.contacts.event_set import split
from streams.state.markers import is_marker

POLL_S = 0.05
ASKED_AT_ONCE = 5_000  # far more than are ever on their way where the rate is kept
LOG_APPEND_TIME = 1
STORED = """
    SELECT contact_id, max(version) FROM contacts WHERE contact_id IN {ids:Array(String)} GROUP BY contact_id
"""


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that this share of all do not exceed."""
    return ordered[max(ceil(len(ordered) * share) - 1, 0)] if ordered else float("nan")


class Changelog:
    """Every event, by when the broker appended the first state with it: with one replica, acknowledged.

    Read afterwards, by the broker's own clock: a reader beside the load would time itself.
    """

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self.expected: dict[bytes, float] = {}  # canonical bytes -> due
        self.delays: list[float] = []
        self.count_from = 0.0

    async def stamp(self) -> None:
        """Have the broker put its own time on what is written from now on."""
        configs = LATEST | {"message.timestamp.type": "LogAppendTime"}
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, CONTACTS_CHANGELOG, configs)])
        finally:
            await admin.close()

    def due(self, message: Message, due: float) -> None:
        """An event is about to be sent."""
        self.expected[message.value] = due

    async def read(self, limit_s: float) -> None:
        """Find the events in the changelog, which must hold them within this time."""
        tps = [TopicPartition(CONTACTS_CHANGELOG, number) for number in range(PARTITIONS)]
        deadline = time.monotonic() + limit_s
        async with AIOKafkaConsumer(bootstrap_servers=self._servers, enable_auto_commit=False) as consumer:
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            while self.expected and time.monotonic() < deadline:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        if not is_marker(record.key):
                            assert record.timestamp_type == LOG_APPEND_TIME
                            self.came(record.value, record.timestamp / 1000)

    def came(self, state: bytes, at: float) -> None:
        """A contact's state was appended."""
        for canonical in split(state):
            due = self.expected.pop(canonical, None)
            if due is not None and due >= self.count_from:
                self.delays.append(at - due)


class Stored:
    """Some of the events, as soon as a query sees the row of their contact in the version that has them.

    Asked every 50 ms, so what is found is late by up to that and the time of a query; `rounds` has the gaps.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.expected: dict[str, list[Sent]] = defaultdict(list)
        self.delays: list[float] = []
        self.rounds: list[float] = []
        self.count_from = 0.0
        self.share = 1.0
        self._rng = Random(0)

    def sent(self, sent: Sent) -> None:
        """An event is in Kafka. A share is watched, by chance: every n-th would be of one partition."""
        if self._rng.random() < self.share:
            self.expected[sent.message.key.decode()].append(sent)

    async def follow(self) -> None:
        """Ask again and again, until cancelled."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(max(last + POLL_S - time.monotonic(), 0))
            ids = list(self.expected)[:ASKED_AT_ONCE]
            if ids:
                await self.ask(ids)
                self.rounds.append(time.monotonic() - last)
            last = max(last + POLL_S, time.monotonic() - POLL_S)

    async def ask(self, ids: list[str]) -> None:
        """One query."""
        found = await asyncio.to_thread(self._client.query, STORED, {"ids": ids})
        now = time.time()
        for contact_id, version in found.result_rows:
            waiting = self.expected.pop(contact_id)
            for sent in waiting:
                if sent.version > version:
                    self.expected[contact_id].append(sent)
                elif sent.due >= self.count_from:
                    self.delays.append(now - sent.due)


async def until_visible(stored: Stored, limit_s: float, check: Callable[[], None]) -> float:
    """Wait for what is still on its way; returns the seconds it took. `check` raises if it cannot come."""
    began = time.monotonic()
    for _ in range(round(limit_s / POLL_S)):
        check()
        if not stored.expected:
            break
        await asyncio.sleep(POLL_S)
    return time.monotonic() - began
