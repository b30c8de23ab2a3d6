"""Which changelog writes are let through."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import ProducerFenced

from schemas.topics import CHANGELOGS, KPI_WINDOWS
from streams.kafka import fenced_writer as fence
from streams.kafka.fenced_writer import FENCE, Fenced, FencedWriter, Owned

Told = list[tuple[str, int, int, list[tuple[bytes, bytes | None]]]]


class Coordinator:
    """Epochs by partition, as Kafka's coordinator gives them; its producers have a sign for themselves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.epochs: dict[int, int] = {}
        self.seen: dict[tuple[str, int], int] = {}
        self.written: Told = []
        monkeypatch.setattr(fence, "raised", self.raised)
        monkeypatch.setattr("streams.kafka.writer.send", self.send)

    async def raised(self, servers: str, partition: int) -> Owned:
        await asyncio.sleep(0)
        epoch = self.epochs[partition] = self.epochs.get(partition, -1) + 1
        return Owned(SimpleNamespace(epoch=epoch, stop=self.nothing), 7, epoch)  # type: ignore[arg-type]

    async def nothing(self) -> None:
        pass

    async def send(self, producer, topic: str, partition: int, records) -> None:
        await asyncio.sleep(0)
        if producer.epoch < self.seen.get((topic, partition), -1):
            raise ProducerFenced
        self.seen[topic, partition] = producer.epoch
        self.written.append((topic, partition, producer.epoch, list(records)))


async def test_all_changelogs_of_a_partition_are_fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka, old, new = Coordinator(monkeypatch), FencedWriter(""), FencedWriter("")
    await old.take({0, 1})
    await new.take({1})
    assert {(topic, number) for topic, number, epoch, _ in kafka.written if epoch == 1} == {
        (changelog, 1) for changelog in CHANGELOGS
    }
    assert all(records == [*FENCE] for *_, records in kafka.written)
    for changelog in CHANGELOGS:
        await old.write(changelog, 0, [(b"a", b"1")])
        await new.write(changelog, 1, [(b"a", b"1")])
        with pytest.raises(Fenced, match="partition 1 "):
            await old.write(changelog, 1, [(b"a", b"1")])
        with pytest.raises(Fenced, match="partition 0 "):
            await new.write(changelog, 0, [(b"a", b"1")])  # never taken


async def test_outputs_are_not_fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    Coordinator(monkeypatch)
    connected = []

    async def connect(servers: str):
        connected.append(servers)
        return SimpleNamespace(epoch=0)

    monkeypatch.setattr("streams.kafka.writer.connected", connect)
    writer = FencedWriter("kafka")
    await writer.write(KPI_WINDOWS, 3, [(b"a", b"1")])
    assert connected == ["kafka"]


async def test_nothing_is_taken_while_partitions_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is about to lose a partition must not take it back from its next owner."""
    kafka, writer = Coordinator(monkeypatch), FencedWriter("")
    ours = {0}
    await writer.let_go()
    taking = asyncio.create_task(writer.take(ours))
    await asyncio.sleep(0.01)
    assert not kafka.epochs
    ours -= {0}  # Faust's own set: what was assigned meanwhile
    ours |= {1}
    writer.settled.set()
    await taking
    assert kafka.epochs == {1: 0}


async def test_a_partition_stays_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka is reminded of it, unless someone has come between."""
    kafka, old, new = Coordinator(monkeypatch), FencedWriter(""), FencedWriter("")
    await old.take({0})
    for _ in range(2):
        await old.keep()
    assert kafka.epochs == {0: 2}
    assert {epoch for _, _, epoch, _ in kafka.written} == {0}
    await new.take({0})
    with pytest.raises(Fenced):
        await old.keep()
