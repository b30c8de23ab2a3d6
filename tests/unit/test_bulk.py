"""Recovery in bulk: the same tables as record by record."""

import asyncio
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import faust
import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaConnectionError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.stores.memory import Store
from faust.tables.recovery import RebalanceAgain, ServiceStopped
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.tables import FAUST_STORE, BulkRecovery, BulkTables, FaustStore
from streams.kafka import patience
from streams.state.changelog import ChangelogReader, UnpackedRecords
from streams.state.memory import in_memory
from streams.state.table import StateStoreError

ONE, TWO = TopicPartition("ringback-kept-changelog", 1), TopicPartition("ringback-kept-changelog", 2)
Records = dict[TopicPartition, list[tuple[int, bytes, bytes | None]]]


class Broker:
    """What consumers of a test read: `records` by partition, which may end before `ends` as if compacted."""

    def __init__(self, records: Records, ends: dict[TopicPartition, int], at_once: int = 2) -> None:
        self.records, self.ends, self.at_once = records, ends, at_once
        self.before_fetch: list[Any] = []
        self.consumers: list[Consumer] = []

    def consumer(self, reader: Any = None) -> "Consumer":
        self.consumers.append(Consumer(self))
        return self.consumers[-1]


class Consumer:
    """As much of an aiokafka consumer as the reader uses."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self.positions, self.paused, self.stopped = broker, {}, set(), False
        self._fetcher = SimpleNamespace(_records=OrderedDict())

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    def assign(self, partitions: list[TopicPartition]) -> None:
        assert all(isinstance(tp, TopicPartition) for tp in partitions)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp] = offset

    def pause(self, tp: TopicPartition) -> None:
        assert isinstance(tp, TopicPartition)
        self.paused.add(tp)

    async def position(self, tp: TopicPartition) -> int:
        return self.positions[tp]

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        if self.broker.before_fetch:
            self.broker.before_fetch.pop(0)()
        fetched = {}
        for tp in self.positions.keys() - self.paused:
            rest = [one for one in self.broker.records.get(tp, []) if one[0] >= self.positions[tp]]
            taken = rest[: self.broker.at_once]
            self.positions[tp] = taken[-1][0] + 1 if rest[len(taken) :] else self.broker.ends[tp]
            if taken:
                fetched[tp] = [{key: value for _, key, value in taken}]
        return fetched


def faust_applies(changes: list[tuple[int, bytes, bytes | None]]) -> Store:
    """Faust's own memory store, event by event."""
    made = Store.__new__(Store)
    made.__post_init__()
    for partition, key, value in changes:
        message = SimpleNamespace(value=value, partition=partition)
        event = SimpleNamespace(key=key, value=value, message=message)
        made.apply_changelog_batch([event], to_key=lambda k: k, to_value=lambda v: v)
    return made


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("abcd"), st.sampled_from([None, b"", b"x", b"yz"]))
    ),
    st.integers(1, 5),
)
def test_bulk_gives_what_faust_gives(told: list[tuple[int, str, bytes | None]], size: int) -> None:
    """Tombstones, keys that come back, values that are empty, several partitions, any batch boundaries."""
    changes = [(partition, b"%d%s" % (partition, key.encode()), value) for partition, key, value in told]
    made = in_memory()
    for partition in range(3):
        pairs = [(key, value) for where, key, value in changes if where == partition]
        for start in range(0, len(pairs), size):
            made.of(partition).recover([dict(pairs[start : start + size])], 0)
    right = faust_applies(changes)
    assert dict(made.items(None)) == right.data
    for partition in range(3):
        keys = {key for key, where in right._key_partition.items() if where == partition}
        assert {key for key, _ in made.items(partition)} == keys


def built_bytes(count: int) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=3,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for offset in range(count):
        value = None if offset == 1 else b"v"
        builder.append(offset, timestamp=0, key=b"k%d" % offset, value=value, headers=[])
    return bytes(builder.build())


def built(count: int) -> MemoryRecords:
    return MemoryRecords(built_bytes(count))


def fetch_result(records: MemoryRecords, fetch_offset: int) -> tuple[FetchResult, PartitionRecords]:
    made = PartitionRecords(
        ONE,
        records,
        aborted_transactions=None,
        fetch_offset=fetch_offset,
        key_deserializer=None,
        value_deserializer=None,
        check_crcs=True,
        isolation_level=0,
    )
    state = SimpleNamespace(paused=False, position=fetch_offset, consumed_to=lambda offset: None)
    assignment = SimpleNamespace(active=True, state_value=lambda tp: state)
    return FetchResult(ONE, assignment=assignment, partition_records=made, backoff=0), made


def test_aiokafka_hands_on_dictionaries() -> None:
    """Of a real fetch result; it keeps count of offsets as it does with records."""
    fetched, (result, records) = UnpackedRecords(), fetch_result(built(3), 0)
    fetched[ONE] = result
    assert fetched[ONE].getall(64) == [{b"k0": b"v", b"k1": None, b"k2": b"v"}]
    assert records.next_fetch_offset == 3


def test_offsets_go_on_as_with_aiokafka() -> None:
    """From the middle of a batch, too: a broker answers with whole batches."""
    result, theirs = fetch_result(built(5), 2)
    told = {record.key: record.value for record in result.getall()}
    fetched, (result, ours) = UnpackedRecords(), fetch_result(built(5), 2)
    fetched[ONE] = result
    assert fetched[ONE].getall(64) == [told]
    assert ours.next_fetch_offset == theirs.next_fetch_offset == 5


def test_a_damaged_batch_is_refused() -> None:
    raw = bytearray(built_bytes(3))
    raw[-1] ^= 1
    fetched, (result, _) = UnpackedRecords(), fetch_result(MemoryRecords(bytes(raw)), 0)
    fetched[ONE] = result
    with pytest.raises(CorruptRecordException):
        fetched[ONE].getall(64)


@pytest_asyncio.fixture
async def recovery() -> BulkRecovery:
    app = faust.App("ringback", broker="batched://127.0.0.1:1", store=FAUST_STORE, TableManager=BulkTables)
    app.brokers = "127.0.0.1:1"
    table = app.Table("kept", partitions=4, options={"partitions": in_memory()})
    assert type(table.data) is FaustStore
    made = app.tables.recovery
    assert type(made) is BulkRecovery
    assert app.tables.recovery is made
    for tp in (TP(*ONE), TP(*TWO)):
        made.add_active(table, tp)
        made.active_offsets[tp] = -1
    return made


def use(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChangelogReader, "_consumer", broker.consumer)
    monkeypatch.setattr(patience, "RETRY_S", 0.0)


def filled_up_to_its_ends(recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker with both changelogs, which the recovery is to read to their ends."""
    broker = filled()
    use(broker, monkeypatch)
    recovery.active_highwaters.update({TP(*ONE): 8, TP(*TWO): 6})
    return broker


async def seek_wait(offsets: dict[TP, int]) -> None:
    pass


FAUST_CONSUMER = SimpleNamespace(seek_wait=seek_wait)


async def recover(recovery: BulkRecovery) -> None:
    """As Faust calls it."""
    coro = recovery._seek_offsets(FAUST_CONSUMER, recovery.active_tps, recovery.active_offsets, "active")
    await recovery._wait(coro, timeout=0.0)


def filled() -> Broker:
    return Broker(
        {
            ONE: [(0, b"a", b"1"), (2, b"b", b"1"), (5, b"a", b"2")],
            TWO: [(n, b"k%d" % n, b"v") for n in range(7)],
        },
        {ONE: 9, TWO: 7},
    )


async def test_nothing_is_left_for_faust(recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gaps of compaction and a tail that is gone included; no limit of time ends it."""
    broker = filled_up_to_its_ends(recovery, monkeypatch)
    assert recovery.need_recovery()
    await recover(recovery)
    assert not recovery.need_recovery()
    assert dict(recovery.active_offsets) == {TP(*ONE): 8, TP(*TWO): 6}
    held = recovery.app.tables["kept"].data.partitions
    assert dict(held.items(1)) == {b"a": b"2", b"b": b"1"}
    assert dict(held.items(2)) == {b"k%d" % n: b"v" for n in range(7)}
    assert all(consumer.stopped for consumer in broker.consumers)


async def test_empty_changelogs_need_no_consumer(
    recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker({}, {})
    use(broker, monkeypatch)
    recovery.active_highwaters.update({TP(*ONE): -1, TP(*TWO): -1})
    await recover(recovery)
    assert not broker.consumers


async def test_a_changelog_that_was_made_anew_is_read_anew(
    recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held goes beyond its end, so it is not a copy of it."""
    filled_up_to_its_ends(recovery, monkeypatch)
    held = recovery.app.tables["kept"].data.partitions
    for number, known in ((1, 9), (2, 5)):
        held.of(number).put([(b"old", b"1")], None)
        recovery.active_offsets[TP(ONE.topic, number)] = known - 1 if number == 2 else known
    await recover(recovery)
    assert dict(held.items(1)) == {b"a": b"2", b"b": b"1"}
    assert dict(held.items(2)) == {b"old": b"1", b"k5": b"v", b"k6": b"v"}  # this one goes on


async def test_rebalance_while_recovering(recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that went in the middle keeps no offset; it comes back and is read from its beginning."""
    broker = filled_up_to_its_ends(recovery, monkeypatch)

    def rebalance() -> None:  # as Recovery.on_rebalance
        recovery.revoke(TP(*TWO))
        recovery.active_tps.discard(TP(*TWO))
        recovery.signal_recovery_start.set()

    broker.before_fetch = [lambda: None, rebalance]
    with pytest.raises(RebalanceAgain):
        await recover(recovery)
    await asyncio.sleep(0)
    assert broker.consumers[0].stopped
    assert dict(recovery.active_offsets) == {TP(*ONE): 2}  # what the rebalance met is not applied
    recovery.signal_recovery_start.clear()
    recovery.add_active(recovery.app.tables["kept"], TP(*TWO))
    assert recovery.active_offsets[TP(*TWO)] is None  # Faust puts the earliest offset here
    recovery.active_offsets[TP(*TWO)] = -1
    recovery.active_highwaters[TP(*TWO)] = 6
    await recover(recovery)
    assert broker.consumers[1].positions == {ONE: 9, TWO: 7}
    assert recovery.app.tables["kept"].data.partitions.get(b"a") == b"2"
    assert not recovery.need_recovery()


async def test_a_broker_that_goes_away_is_waited_for(
    recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = filled_up_to_its_ends(recovery, monkeypatch)

    def gone() -> None:
        raise KafkaConnectionError

    broker.before_fetch = [lambda: None, gone]
    await recover(recovery)
    assert len(broker.consumers) == 2
    assert not recovery.need_recovery()


async def test_a_damaged_changelog_ends_the_worker_and_says_what_to_do(
    recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flipped byte behind a clean stop, after which Kafka does not look: a traceback, before."""
    broker = filled_up_to_its_ends(recovery, monkeypatch)
    recovery.active_highwaters.update({TP(*ONE): 8, TP(*TWO): 6})
    said: list[Exception] = []
    recovery.app.ending = SimpleNamespace(fail=said.append)

    def corrupt() -> None:
        raise CorruptRecordException("topic-1: wrong checksum behind 7")

    broker.before_fetch = [corrupt]
    with pytest.raises(ServiceStopped):
        await recovery._seek_offsets(None, {TP(*ONE), TP(*TWO)}, dict(recovery.active_offsets), "active")
    assert "wrong checksum behind 7" in str(said[0])
    assert ".kafka_cleanshutdown" in str(said[0])
    assert broker.consumers[0].stopped


async def test_no_room_for_what_is_read_ends_the_worker_in_its_way(
    recovery: BulkRecovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust would print a traceback and crash."""
    use(filled(), monkeypatch)
    recovery.active_highwaters.update({TP(*ONE): 8, TP(*TWO): 6})
    said: list[Exception] = []
    recovery.app.ending = SimpleNamespace(fail=said.append)

    def full(*_: object) -> None:
        raise StateStoreError("No space left on device")

    monkeypatch.setattr(recovery.app.tables["kept"].data.partitions.of(1), "recover", full)
    with pytest.raises(ServiceStopped):
        await recover(recovery)
    assert [str(error) for error in said] == ["No space left on device"]
