"""Containers of canonical bytes: what any reader of Avro finds in them."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.strategies import any_event

from maintenance.raw_container import PLACED, RawBatch, RawRecord, container, types_by_header, unwrapped
from schemas.avro_writer import number
from schemas.codec import avro_fields, encode
from schemas.events import AgentStateChanged, SourceHeartbeat
from schemas.topics import CONTACT_EVENTS
from sinks.rows import ARRIVAL_COLUMNS, EVENT_COLUMNS
from sql.raw_inserts import clean, columns, insert_arrivals, insert_events, number_bytes

KINDS = sorted(types_by_header().values())
AT = 1_767_571_200_000


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5)
@given(data=st.data())
def test_a_reader_finds_the_records_and_their_events(kind: str, data: st.DataObject) -> None:
    events = data.draw(st.lists(any_event(kind), min_size=1, max_size=3))
    records = [
        RawRecord(CONTACT_EVENTS, 2, n * 10**9, AT, event.contact_id.encode(), encode(event))
        for n, event in enumerate(events)
    ]
    batch = RawBatch()
    batch.add(records)
    batch.add(records[:1])
    assert batch.count == len(records) + 1
    assert not batch.others
    assert [*unwrapped(batch.blocks[kind])] == [*records, records[0]]
    found: list[Any] = [*fastavro.reader(io.BytesIO(container(kind, batch.blocks[kind])))]
    assert found.pop() == found[0]
    for row, record, event in zip(found, records, events, strict=True):
        assert (row.pop("raw_key"), row.pop("raw_canonical")) == (record.key, record.value)
        assert PLACED.unpack(row.pop("raw_place")) == (2, record.offset, AT)
        fields = {"revision_wide": 0} | avro_fields(event)
        flags = {name for name, value in fields.items() if isinstance(value, bool)}
        assert row == {name: -int(fields[name]) if name in flags else fields[name] for name in row}


def test_only_events_of_contacts_by_today_s_schemas_go_as_they_are() -> None:
    beside = (
        AgentStateChanged(event_id="e", agent="a", state="busy", occurred_at=AT, source="s"),
        SourceHeartbeat(event_id="e", source="s", occurred_at=AT),
    )
    values = [*map(encode, beside), None, b"", b"\x00\x00\x00\x00\x07x"]
    records = [RawRecord(CONTACT_EVENTS, 0, n, AT, b"k", value) for n, value in enumerate(values)]
    batch = RawBatch()
    batch.add(records)
    assert (batch.blocks, batch.others, batch.count) == ({}, records, len(records))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_looked_at(kind: str) -> None:
    names = [name for name, _ in columns(kind) if name != "raw_place"]
    assert all(name in clean(kind) for name in names)
    assert clean(kind) in insert_events(kind, EVENT_COLUMNS, "t")
    assert insert_arrivals(kind, ARRIVAL_COLUMNS, "t").startswith("INSERT INTO arrivals (partition, offset,")


def test_an_expression_says_how_long_a_number_is() -> None:
    edges = [sign * 2**bits + one for sign in (-1, 1) for bits in range(63) for one in (-1, 0)]
    for value in edges:
        for least in (-(2**63), value, min(value, 0)):
            for most in (value, 2**63 - 1):
                assert eval(number_bytes(str(value), least, most)) == len(number(value))  # noqa: S307 -- ours
