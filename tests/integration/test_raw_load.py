"""Raw events that go into ClickHouse as they are, beside the same ones by the sink's way: equal rows."""

import io
import time
from collections.abc import Iterator, Sequence
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.strategies import any_event

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from maintenance import raw_load
from maintenance.raw_container import RawBatch, RawRecord, types_by_header
from maintenance.raw_load import write, write_slowly
from schemas.avro_schemas import current, current_fingerprints
from schemas.codec import MARKER, encode
from schemas.events import ContactQueued, ContactResolved, ContactStarted, Event
from schemas.topics import CONTACT_EVENTS
from sinks.writer import ClickHouseSink
from streams.kafka.decoding import Wire, decode_single_object

pytestmark = pytest.mark.stack
WIRE = Wire(decode_single_object)
AT = 1_767_571_200_000
QUEUED = ContactQueued(event_id="e", contact_id="c", occurred_at=AT, source="s", queue="A", revision=5)
STARTED = ContactStarted(
    event_id="e", contact_id="c", occurred_at=AT, source="s", dimensions={"a": "1", "b": "ü"}
)
RESOLVED = ContactResolved(event_id="e", contact_id="c", occurred_at=AT, source="s")


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseSink]:
    clickhouse = LocalClickHouse(tmp_path_factory.mktemp("raw"), free_port())
    clickhouse.start()
    found = ClickHouseSink(clickhouse.address)
    found.prepare()
    yield found
    clickhouse.stop()


def stored(sink: ClickHouseSink) -> list[Any]:
    """What is in the tables, which are empty afterwards."""
    found: list[Any] = []
    for table in ("events", "arrivals"):
        query = f"SELECT * FROM {table} FINAL ORDER BY ALL"
        found.append(sink.client().query(query, query_formats={"String": "bytes"}).result_rows)
        sink.client().command(f"TRUNCATE TABLE {table}")
    return found


def records(values: Sequence[tuple[bytes, bytes]]) -> list[RawRecord]:
    """Records of today: of old ones no arrival is kept."""
    today = int(time.time()) * 1_000
    return [RawRecord(CONTACT_EVENTS, 1, n * 1_000, today + n, *pair) for n, pair in enumerate(values)]


def batch(given_: Sequence[RawRecord]) -> RawBatch:
    """As read from Kafka: a few at a time."""
    found = RawBatch()
    for begin in range(0, len(given_), 5):
        found.add(given_[begin : begin + 5])
    return found


def keyed(event: Event) -> tuple[bytes, bytes]:
    return event.contact_id.encode(), encode(event)  # type: ignore[union-attr]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_canonical_events_of_all_types_are_stored_as_the_sink_stores_them(
    sink: ClickHouseSink, data: st.DataObject
) -> None:
    kinds = sorted(types_by_header().values())
    events = [data.draw(any_event(kind)) for kind in kinds]
    # A contact's map that is empty, not null, is told apart by the sink's way alone.
    given_ = records([keyed(e) for e in events if getattr(e, "dimensions", None) != {}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_load, "write_slowly", lambda *_: pytest.fail("what is canonical went the slow way"))
        assert write(sink, WIRE, batch(given_ + given_[:3])) == len(given_) + 3
    fast = stored(sink)
    write_slowly(sink, WIRE, given_)
    assert fast == stored(sink)
    assert len(fast[1]) == len(given_)


def forged(type_: str, event: Event, **changes: object) -> tuple[bytes, bytes]:
    """Bytes with fields that the model would not take."""
    fields = {"revision_wide": 0} | event.__dict__ | changes
    out = io.BytesIO()
    fastavro.schemaless_writer(out, current()[type_], fields)
    return b"c", MARKER + current_fingerprints()[type_] + out.getvalue()


def respelled(event: Event, usual: bytes, unusual: bytes) -> tuple[bytes, bytes]:
    head, found, tail = encode(event).rpartition(usual)
    assert found
    return b"c", head + unusual + tail


queued = encode(QUEUED)
ODD = {
    "revision in two bytes": respelled(QUEUED, b"\x0a\x02A", b"\x8a\x00\x02A"),
    "true by another byte": respelled(RESOLVED, b"\x01\x00", b"\x03\x00"),
    "bytes left over": (b"c", queued + b"A"),
    "an event left over": (b"c", queued + queued),
    "a record of the container left over": (b"c", queued + b"\x02c\x00\x00\x00" + bytes((60,)) + queued),
    "cut off": (b"c", queued[:-2]),
    "no UTF-8": (b"c", queued.replace(b"\x02A", b"\x02\xff")),
    "another key": (b"d", queued),
    "no key": (None, queued),
    "no value": (b"c", None),
    "no event": (b"c", b"garbage"),
    "an unknown schema": (b"c", MARKER + bytes(8) + queued[10:]),
    "no queue": forged("contact_queued", QUEUED, queue=""),
    "a long queue": forged("contact_queued", QUEUED, queue="x" * 257),
    "a long queue of long letters": forged("contact_queued", QUEUED, queue="ü" * 256),
    "a channel of another spelling": forged("contact_queued", QUEUED, channel="Voice"),
    "a channel with a line end": forged("contact_queued", QUEUED, channel="voice\n"),
    "leg 0": forged("contact_queued", QUEUED, leg=0),
    "the year 1980": forged("contact_queued", QUEUED, occurred_at=315_532_800_000),
    "a negative revision": forged("contact_queued", QUEUED, revision=-1),
    "a wide revision that is none": forged("contact_queued", QUEUED, revision_wide=7),
    "a wide revision": forged("contact_queued", QUEUED, revision=2**31 - 1, revision_wide=2**40),
    "a direction of another name": forged("contact_started", STARTED, direction="sideways"),
    "dimensions out of order": forged("contact_started", STARTED, dimensions={"b": "1", "a": "1"}),
    "a dimension of another spelling": forged("contact_started", STARTED, dimensions={"A": "1"}),
    "an empty dimension": forged("contact_started", STARTED, dimensions={"a": ""}),
    "no dimensions": forged("contact_started", STARTED, dimensions={}),
    "negative talk": forged("contact_resolved", RESOLVED, talk_ms=-1),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_decided_by_the_sink_s_way(sink: ClickHouseSink, odd: str) -> None:
    """And with it what came in the same batch."""
    good = [keyed(QUEUED.model_copy(update={"event_id": str(n)})) for n in range(3)]
    given_ = records([*good[:2], ODD[odd], good[2], *good])  # type: ignore[list-item]
    assert write(sink, WIRE, batch(given_)) == len(given_)
    fast = stored(sink)
    write_slowly(sink, WIRE, given_)
    assert fast == stored(sink)
    assert len(fast[0]) >= 3
