import base64
import os
import signal
import time
from functools import partial
from types import SimpleNamespace
from typing import ClassVar

import orjson
import pytest
from confluent_kafka import KafkaError
from rich.console import Console
from support.bank_file import write_bank_file

from adapters.bank.file import read_bank
from adapters.events.json_lines import read_events
from adapters.kit.outcomes import WrongFile
from adapters.sending import producer
from adapters.sending.file_import import Interrupted, Seen, import_file
from adapters.sending.producer import NotSent, Standstill
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.records import OutgoingRecord, dead_letter_of, event_record
from deploy.local.ports import free_port
from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.events import AgentStateChanged, ContactStarted, SourceHeartbeat

AT = 1_767_571_200_000
BANK = partial(read_bank, secret=b"k")
EVENTS = partial(read_events, secret=b"k")
QUIET = ImportProgress(Console(stderr=True, force_terminal=False))


class FakeSender:
    """Keeps what it is given; `interrupt_after` events it plays Ctrl-C."""

    def __init__(self, interrupt_after=None):
        self.events, self.dead, self.flushed = [], [], 0
        self._interrupt_after = interrupt_after

    async def send_canonical(self, record):
        self.events.append(decode(record.value))
        if len(self.events) == self._interrupt_after:
            os.kill(os.getpid(), signal.SIGINT)

    async def send_dead_letter(self, refused):
        self.dead.append(refused)

    async def flush(self):
        self.flushed += 1
        return {("contact-events", 0): len(self.events) - 1}


async def test_bank_file(tmp_path):
    expected = write_bank_file(tmp_path / "calls.txt")
    sender = FakeSender()
    result = await import_file(tmp_path / "calls.txt", BANK, sender, QUIET)
    assert (result.sent, result.contacts) == (expected.events, expected.contacts)
    assert (result.dead_letters, result.skipped) == (len(expected.rejected), expected.phantom)
    assert [(dead.position, dead.reason) for dead in sender.dead] == expected.rejected
    assert result.last_offsets == {("contact-events", 0): expected.events - 1}
    assert sender.flushed == 1


async def test_a_wrong_file_sends_nothing(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("name\tage\n")
    sender = FakeSender()
    with pytest.raises(WrongFile):
        await import_file(path, BANK, sender, QUIET)
    assert (sender.events, sender.dead) == ([], [])


async def test_identical_events_are_sent_once_and_corrections_always(tmp_path):
    event = {"type": "contact_started", "event_id": "e", "contact_id": "c", "occurred_at": AT, "source": "s"}
    lines = [event, event, event | {"revision": 1}, event, event | {"occurred_at": AT + 1}]
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    sender = FakeSender()
    result = await import_file(path, EVENTS, sender, QUIET)
    assert (result.sent, result.duplicates, result.contacts) == (3, 2, 1)
    assert len(sender.events) == 3


async def test_ctrl_c_confirms_what_was_sent_and_says_how_to_go_on(tmp_path):
    event = {"type": "contact_started", "contact_id": "c", "occurred_at": AT, "source": "s"}
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(event | {"event_id": str(n)}) for n in range(5_000)))
    sender = FakeSender(interrupt_after=1_000)
    with pytest.raises(Interrupted, match="run the same command again") as caught:
        await import_file(path, EVENTS, sender, QUIET)
    assert 1_000 <= caught.value.result.sent == len(sender.events) < 5_000
    assert sender.flushed == 1


async def test_progress_on_a_terminal(tmp_path):
    write_bank_file(tmp_path / "calls.txt.gz")
    console = Console(stderr=True, force_terminal=True, width=120, record=True)
    result = await import_file(tmp_path / "calls.txt.gz", BANK, FakeSender(), ImportProgress(console))
    assert result.contacts == 17


def test_seen_forgets_only_what_is_long_ago():
    seen = Seen(limit=3)
    assert [seen.add(b"%d" % n) for n in (1, 2, 3, 1, 4, 5, 1)] == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    for n in range(10, 20):
        seen.add(b"%d" % n)
    assert not seen.add(b"2")


def test_records_go_to_their_topics():
    started = ContactStarted(event_id="e", contact_id="ü1", occurred_at=AT, source="s")
    record = event_record(started, encode)
    assert (record.topic, record.key, decode(record.value)) == ("contact-events", "ü1".encode(), started)
    state = AgentStateChanged(event_id="e", agent="ann", state="break", occurred_at=AT, source="s")
    assert event_record(state, encode).key == b"ann"
    assert event_record(state, encode).topic == "agent-events"
    beat = SourceHeartbeat(event_id="e", source="s", occurred_at=AT)
    assert event_record(beat, encode).topic == "source-heartbeats"


def test_dead_letters_are_json():
    record = dead_letter_of(
        DeadLetter(origin="f.txt", position=7, reason="bad_time", detail="why", payload=b"\xff\x00"), AT
    )
    document = orjson.loads(record.value)
    assert record.topic == "dead-letters"
    assert base64.b64decode(document.pop("payload")) == b"\xff\x00"
    assert document == {
        "origin": "f.txt",
        "position": 7,
        "reason": "bad_time",
        "detail": "why",
        "failed_at": AT,
    }


def test_a_standstill_ends_only_where_it_is_limited():
    Standstill(None).check("never")
    Standstill(60).check("not yet")
    with pytest.raises(NotSent, match="broker away; gave up after 0 s"):
        Standstill(0).check("broker away")


class FakeKafka:
    """Stands in for confluent-kafka's producer.

    Its broker says of a record, by the number of those that are written, None, an error, or AWAY.
    """

    broker: ClassVar = None
    written: ClassVar[list] = []
    configs: ClassVar[list] = []
    closed: ClassVar[list] = []

    def __init__(self, config):
        self.configs.append(config)
        self.config, self.waiting = config, []

    def __len__(self):
        return len(self.waiting)

    def produce(self, topic, value, key):
        if len(self.waiting) >= self.config["queue.buffering.max.messages"]:
            raise BufferError
        self.waiting.append((topic, value, key))

    def poll(self, timeout):
        for _ in range(len(self.waiting)):
            error = self.broker(len(self.written))
            if error is AWAY:
                self.config["error_cb"](AWAY)
                return
            self.settle(error)

    def settle(self, error):
        topic, value, key = self.waiting.pop(0)
        if error is None:
            self.written.append(value)
        parts = {"topic": topic, "partition": 0, "offset": len(self.written) - 1, "key": key, "value": value}
        message = SimpleNamespace(**{name: lambda part=part: part for name, part in parts.items()})
        self.config["on_delivery"](error, message)

    def purge(self):
        self.waiting.clear()

    def close(self):
        self.closed.append(self)


AWAY = KafkaError(KafkaError._TRANSPORT, "connection refused")
NO_TOPIC = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "no such topic")
FORBIDDEN = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "not you")


@pytest.fixture
def kafka(monkeypatch):
    monkeypatch.setattr(producer, "Producer", FakeKafka)
    monkeypatch.setattr(producer, "PAUSE_S", 0.0)
    monkeypatch.setattr(producer, "POLL_S", 0.0)
    FakeKafka.written, FakeKafka.configs, FakeKafka.closed = [], [], []
    return FakeKafka


def event(number):
    return ContactStarted(event_id=str(number), contact_id="c", occurred_at=AT, source="s")


async def send_all(said, servers="nowhere:1", **how):
    async with producer.EventSender(servers, on_wait=said.append, **how) as sender:
        for number in range(100):
            await sender.send(event(number))
        return await sender.flush()


def all_are_written(kafka):
    return sorted(int(decode(value).event_id) for value in kafka.written) == list(range(100))


@pytest.mark.parametrize("in_flight_max", [1, 7, 1_000])
async def test_records_that_fail_are_sent_again(kafka, in_flight_max):
    looks = iter([NO_TOPIC] * 50)
    kafka.broker = staticmethod(lambda n: next(looks, None) if n == 40 else None)
    said = []
    offsets = await send_all(said, in_flight_max=in_flight_max)
    assert all_are_written(kafka)
    assert offsets == {("contact-events", 0): 99}
    assert len(said) == 1
    assert "not confirmed (no such topic)" in said[0]
    assert len(kafka.closed) == 1


@pytest.mark.parametrize("in_flight_max", [1, 7, 1_000])
async def test_a_broker_that_is_away_is_waited_for(kafka, in_flight_max):
    looks = iter([AWAY] * 500)
    kafka.broker = staticmethod(lambda n: next(looks, None) if n == 40 else None)
    said = []
    await send_all(said, in_flight_max=in_flight_max)
    assert all_are_written(kafka)
    assert len(said) == 1
    assert "connection refused" in said[0]


async def test_a_record_that_kafka_will_never_take_is_an_error(kafka):
    kafka.broker = staticmethod(lambda n: FORBIDDEN if n == 40 else None)
    with pytest.raises(NotSent, match=r"refuses a record for contact-events: TOPIC_AUTHORIZATION_FAILED"):
        await send_all([])
    assert len(kafka.closed) == 1


@pytest.mark.parametrize("error", [AWAY, NO_TOPIC])
async def test_a_standstill_is_not_waited_for_longer_than_wanted(kafka, error):
    kafka.broker = staticmethod(lambda n: error)
    with pytest.raises(NotSent, match=r"\((connection refused|no such topic)\); gave up after 0\.2 s"):
        await send_all([], timeout_s=0.2)


async def test_no_broker_where_one_should_be():
    """The real client: it says why, gives up when asked, idles meanwhile and leaves no thread."""
    said, used, threads = [], time.process_time(), len(os.listdir("/proc/self/task"))
    with pytest.raises(NotSent, match=r"100 records are not confirmed \(.*refused.*; gave up after 2 s"):
        await send_all(said, servers=f"127.0.0.1:{free_port()}", timeout_s=2)
    assert len(said) == 1
    assert time.process_time() - used < 1.0
    assert len(os.listdir("/proc/self/task")) == threads


async def test_a_record_that_is_too_large_is_an_error():
    async with producer.EventSender(f"127.0.0.1:{free_port()}") as sender:
        with pytest.raises(NotSent, match="refuses a record for contact-events: MSG_SIZE_TOO_LARGE"):
            await sender.send_record(OutgoingRecord("contact-events", b"c", b"x" * 2_000_000))
