"""Containers of canonical bytes: what any reader of Avro finds in them."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.strategies import any_event

from maintenance.raw_container import RawRecord, by_type, container, types_by_header
from schemas.codec import avro_fields, encode
from schemas.events import AgentStateChanged, SourceHeartbeat
from sinks.rows import ARRIVAL_COLUMNS, EVENT_COLUMNS
from sql.raw_inserts import clean, columns, insert_arrivals, insert_events

KINDS = sorted(types_by_header().values())
AT = 1_767_571_200_000


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5)
@given(data=st.data())
def test_a_reader_finds_the_records_and_their_events(kind: str, data: st.DataObject) -> None:
    events = data.draw(st.lists(any_event(kind), min_size=1, max_size=3))
    records = [
        RawRecord("t", 2, n * 10**9, AT, event.contact_id.encode(), encode(event))
        for n, event in enumerate(events)
    ]
    found: list[Any] = [*fastavro.reader(io.BytesIO(container(kind, records)))]
    for row, record, event in zip(found, records, events, strict=True):
        assert (row.pop("raw_key"), row.pop("raw_canonical")) == (record.key, record.value)
        assert (row.pop("raw_partition"), row.pop("raw_offset"), row.pop("raw_at")) == (2, record.offset, AT)
        fields = {"revision_wide": 0} | avro_fields(event)
        flags = {name for name, value in fields.items() if isinstance(value, bool)}
        assert row == {name: -int(fields[name]) if name in flags else fields[name] for name in row}


def test_only_events_of_contacts_by_today_s_schemas_go_as_they_are() -> None:
    beside = (
        AgentStateChanged(event_id="e", agent="a", state="busy", occurred_at=AT, source="s"),
        SourceHeartbeat(event_id="e", source="s", occurred_at=AT),
    )
    values = [*map(encode, beside), None, b"", b"\x00\x00\x00\x00\x07x"]
    records = [RawRecord("t", 0, n, AT, b"k", value) for n, value in enumerate(values)]
    assert by_type(records) == ({}, records)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_looked_at(kind: str) -> None:
    names = [name for name, _ in columns(kind) if name not in ("raw_partition", "raw_offset", "raw_at")]
    assert all(name in clean(kind) for name in names)
    assert clean(kind) in insert_events(kind, EVENT_COLUMNS)
    assert insert_arrivals(kind, ARRIVAL_COLUMNS).startswith("INSERT INTO arrivals (partition, offset,")
