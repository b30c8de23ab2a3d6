"""Schemas and codec: what is packaged, what it may become, and what hostile bytes may do (nothing)."""

import contextlib
import copy
import io
import json
from importlib.resources import files
from types import NoneType
from typing import Any, get_args

import avro.io
import avro.schema
import fastavro
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import EACH_TYPE, any_event

from schemas.avro_schemas import by_fingerprint, current_fingerprints, load, rabin, released
from schemas.codec import (
    EVENT_MAX_BYTES,
    HEADER_BYTES,
    MARKER,
    DecodeError,
    decode,
    encode,
    encode_body,
)
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.event_order import TYPE_RANK
from schemas.events import MODELS, ContactQueued, ContactResolved, Event
from streams.kafka.decoding import decode_single_object

KINDS = sorted(MODELS)
CURRENT: dict[str, dict[str, Any]] = dict(load(files("schemas") / "avro"))
# Those that are no longer today's.
OLDER = [
    (version, kind)
    for version, schemas in sorted(released().items())
    for kind, raw in sorted(schemas.items())
    if rabin(raw) != current_fingerprints()[kind]
]
PAIRS = [(version, kind) for version, schemas in sorted(released().items()) for kind in sorted(schemas)]
# Defaults for the writer of an event only: adapters may leave them out, on the wire they always are.
PYTHON_ONLY_DEFAULTS = {"leg", "channel", "revision"}
AVRO_OF = {str: {"string"}, int: {"int", "long"}, bool: {"boolean"}}
QUEUED = ContactQueued(
    event_id="e", contact_id="c", occurred_at=1_767_571_200_000, source="s", queue="A", revision=5
)

RESOLVED = ContactResolved(event_id="e", contact_id="c", occurred_at=1_767_571_200_000, source="s")


def apache(schema: dict[str, Any]) -> avro.schema.Schema:
    return avro.schema.parse(json.dumps(schema))


def compatible(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    verdict = ReaderWriterCompatibilityChecker().get_compatibility(apache(reader), apache(writer))
    return bool(verdict.compatibility is SchemaCompatibilityType.compatible)


def forge(type_: str, /, **changes: object) -> bytes:
    """Bytes with fields that the model would not take."""
    fields = QUEUED.model_dump(exclude={"type"}) | {"outcome": "unknown", "by": "agent"} | changes
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(CURRENT[type_])), fields)
    return MARKER + current_fingerprints()[type_] + out.getvalue()


def as_written(event: Event) -> dict[str, Any]:
    """Fields of an event on the wire: a revision that is too great for version 1 in a field of its own."""
    fields = event.model_dump(exclude={"type"})
    wide = event.revision if event.revision >= 2**31 else 0
    return fields | {"revision": min(event.revision, 2**31 - 1), "revision_wide": wide}


def reason_of(data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(data)
    assert str(caught.value) == f"{caught.value.reason}: {caught.value.detail}"
    return caught.value.reason


# What is packaged


def test_every_event_type_has_a_schema_and_a_rank() -> None:
    assert sorted(CURRENT) == KINDS
    assert set(TYPE_RANK) == {kind for kind in KINDS if "contact_id" in MODELS[kind].model_fields}
    assert sorted(TYPE_RANK.values()) == list(range(len(TYPE_RANK)))


@pytest.mark.parametrize("kind", KINDS)
def test_both_parsers_take_the_schema(kind: str) -> None:
    fastavro.parse_schema(copy.deepcopy(CURRENT[kind]))
    parsed = apache(CURRENT[kind])
    assert parsed.fullname == "ringback." + kind.title().replace("_", "")
    assert MODELS[kind].__name__ == parsed.name


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_model_and_schema_are_the_same(kind: str) -> None:
    in_avro = {field["name"]: field for field in CURRENT[kind]["fields"] if field["name"] != "revision_wide"}
    in_model = {name: field for name, field in MODELS[kind].model_fields.items() if name != "type"}
    assert set(in_model) == set(in_avro)
    for name, field in in_model.items():
        type_ = in_avro[name]["type"]
        nullable = NoneType in get_args(field.annotation)
        assert isinstance(type_, list) == nullable, name
        if isinstance(type_, list):
            assert type_[0] == "null", f"{name}: a default of null wants null first"
        if "default" in in_avro[name]:
            assert field.default == in_avro[name]["default"], name
        else:
            assert field.is_required() or name in PYTHON_ONLY_DEFAULTS, name
        assert in_avro[name].get("doc"), f"{name} says nothing about itself"


@pytest.mark.parametrize("kind", KINDS)
def test_every_fingerprint_is_known(kind: str) -> None:
    writer = by_fingerprint()[current_fingerprints()[kind]]
    assert (writer.type, writer.plain) == (kind, True)


# What the schemas may become


@pytest.mark.parametrize(("version", "kind"), PAIRS)
def test_released_schemas_are_compatible_both_ways(version: int, kind: str) -> None:
    old = released()[version][kind]
    assert compatible(reader=CURRENT[kind], writer=old), "today's worker cannot read an old topic"
    assert compatible(reader=old, writer=CURRENT[kind]), "an old worker cannot read what is written today"


@pytest.mark.parametrize(("version", "kind"), PAIRS)
def test_fields_of_released_schemas_are_read_without_resolution(version: int, kind: str) -> None:
    today = {field["name"]: field["type"] for field in CURRENT[kind]["fields"]}
    old = {field["name"]: field["type"] for field in released()[version][kind]["fields"]}
    assert old.items() <= today.items()


@pytest.mark.parametrize(("version", "kind"), OLDER)
@EACH_TYPE
@given(data=st.data())
def test_old_bytes_are_the_same_event(version: int, kind: str, data: st.DataObject) -> None:
    """What version 1 wrote is decoded as the event without what version 1 did not know."""
    event = data.draw(any_event(kind))
    raw = released()[version][kind]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(raw)), as_written(event))
    known = {field["name"] for field in raw["fields"]}
    fields = {name: value for name, value in as_written(event).items() if name in known}
    assert decode(MARKER + rabin(raw) + out.getvalue()) == MODELS[kind](**fields)


@pytest.mark.parametrize("revision", [0, 1, 2**31 - 2, 2**31 - 1, 2**31, 1_767_571_200_123, 2**63 - 1])
def test_a_revision_may_be_a_time_in_milliseconds(revision: int) -> None:
    event = QUEUED.model_copy(update={"revision": revision})
    assert decode(encode(event)) == event


def test_every_released_type_is_still_read() -> None:
    assert {kind for _, kind in PAIRS} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_refuses_a_removed_field_without_default(kind: str) -> None:
    """Proves that the compatibility test can fail."""
    changed = copy.deepcopy(CURRENT[kind])
    changed["fields"] = [field for field in changed["fields"] if field["name"] != "occurred_at"]
    assert not compatible(reader=CURRENT[kind], writer=changed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_refuses_a_changed_type(kind: str) -> None:
    changed = copy.deepcopy(CURRENT[kind])
    next(field for field in changed["fields"] if field["name"] == "source")["type"] = "long"
    assert not compatible(reader=CURRENT[kind], writer=changed)
    assert not compatible(reader=changed, writer=CURRENT[kind])


def test_the_checker_takes_a_new_field_with_default() -> None:
    changed = copy.deepcopy(CURRENT["contact_queued"])
    changed["fields"].append({"name": "skill", "type": ["null", "string"], "default": None})
    assert compatible(reader=CURRENT["contact_queued"], writer=changed)
    assert compatible(reader=changed, writer=CURRENT["contact_queued"])
    del changed["fields"][-1]["default"]
    assert not compatible(reader=changed, writer=CURRENT["contact_queued"])


# Bytes


@pytest.mark.parametrize("kind", KINDS)
@EACH_TYPE
@given(data=st.data())
def test_the_apache_reader_sees_the_same_body(kind: str, data: st.DataObject) -> None:
    event = data.draw(any_event(kind))
    encoded = encode(event)
    assert encoded[:2] == b"\xc3\x01"
    assert encoded[HEADER_BYTES:] == encode_body(event)
    decoder = avro.io.BinaryDecoder(io.BytesIO(encoded[HEADER_BYTES:]))
    assert avro.io.DatumReader(apache(CURRENT[kind])).read(decoder) == as_written(event)
    out = io.BytesIO()
    fields = as_written(event)
    avro.io.DatumWriter(apache(CURRENT[kind])).write(fields, avro.io.BinaryEncoder(out))
    assert out.getvalue() == encoded[HEADER_BYTES:], "two encoders, one set of bytes"


@pytest.mark.parametrize("kind", KINDS)
@EACH_TYPE
@given(data=st.data())
def test_no_part_of_an_event_is_an_event(kind: str, data: st.DataObject) -> None:
    encoded = encode(data.draw(any_event(kind)))
    cut = data.draw(st.integers(0, len(encoded) - 1))
    assert reason_of(encoded[:cut]) == ("not_single_object" if cut < HEADER_BYTES else "undecodable")
    assert reason_of(encoded + b"\x00") == "undecodable"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_single_object"),
        (MARKER, "not_single_object"),
        (b"\xc3\x02" + encode(QUEUED)[2:], "not_single_object"),
        (json.dumps(QUEUED.model_dump()).encode(), "not_single_object"),
        (b"\x00\x00\x00\x00\x07" + encode_body(QUEUED), "not_single_object"),  # a schema registry's framing
        (MARKER + bytes(8) + encode_body(QUEUED), "unknown_fingerprint"),
        (MARKER + current_fingerprints()["contact_queued"], "undecodable"),
        (encode(QUEUED)[:-1], "undecodable"),
        (encode(QUEUED) + b"A", "undecodable"),
        (encode(QUEUED)[:-1] + b"\xff", "undecodable"),  # no UTF-8
        (encode(QUEUED) + bytes(EVENT_MAX_BYTES), "too_large"),
        (bytes(EVENT_MAX_BYTES + 1), "too_large"),
    ],
)
def test_reasons_of_bad_bytes(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


def test_the_greatest_size_is_still_looked_at() -> None:
    assert reason_of(bytes(EVENT_MAX_BYTES)) == "not_single_object"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("contact_queued", {"occurred_at": -62_135_596_800_000}),  # year 1
        ("contact_queued", {"occurred_at": 253_402_300_799_999}),  # year 9999
        ("contact_queued", {"occurred_at": OCCURRED_AT_MIN - 1}),
        ("contact_queued", {"occurred_at": OCCURRED_AT_MAX}),
        ("contact_queued", {"occurred_at": 1_767_571_200}),  # seconds
        ("contact_queued", {"leg": 0}),
        ("contact_queued", {"leg": 100_001}),
        ("contact_queued", {"revision": -1}),
        ("contact_queued", {"queue": ""}),
        ("contact_queued", {"queue": "q" * 257}),
        ("contact_queued", {"event_id": ""}),
        ("contact_queued", {"contact_id": ""}),
        ("contact_queued", {"channel": "Voice"}),
        ("contact_queued", {"channel": "voice\n"}),
        ("contact_held", {"hold_no": 0}),
        ("contact_transferred", {"kind": "lukewarm"}),
        ("contact_abandoned", {"place": "moon"}),
        ("contact_resolved", {"outcome": "perhaps"}),
        ("contact_resolved", {"talk_ms": -1}),
        ("contact_resolved", {"hold_ms": -1}),
        ("contact_resolved", {"hold_max_ms": -1}),
        ("contact_resolved", {"acw_ms": -1}),
        ("contact_resolved", {"hold_n": -1}),
        ("contact_resolved", {"talk_ms": 2**62}),
    ],
)
def test_reasons_of_bad_values(kind: str, changes: dict[str, object]) -> None:
    assert reason_of(forge(kind, **changes)) == "invalid_event"


def test_limits_of_time_are_taken() -> None:
    for moment in (OCCURRED_AT_MIN, OCCURRED_AT_MAX - 1):
        assert decode(forge("contact_queued", occurred_at=moment)).occurred_at == moment


def test_what_is_wrong_is_said_without_the_value() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(forge("contact_queued", queue="+49 170 1234567" * 20, leg=0))
    assert "queue" in caught.value.detail
    assert "leg" in caught.value.detail
    assert "1234567" not in str(caught.value)


@given(st.binary(max_size=300))
@example(b"\xc3")
def test_random_bytes_raise_nothing_but_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)


@given(st.sampled_from(KINDS), st.binary(max_size=300))
@example("contact_queued", b"\xff" * 9 + b"\x01")  # a string of 2**63 bytes
@example("contact_queued", b"\x80" * 300)  # a number without end
@example("contact_queued", b"\x01")  # a string of -1 bytes
def test_random_bodies_raise_nothing_but_decode_error(kind: str, body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert type(decode(MARKER + current_fingerprints()[kind] + body)) is MODELS[kind]


@given(st.one_of([any_event(kind) for kind in KINDS]), st.data())
def test_a_flipped_bit_raises_nothing_but_decode_error(event: Any, data: st.DataObject) -> None:
    damaged = bytearray(encode(event))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(DecodeError):
        assert type(decode(bytes(damaged))) in MODELS.values()


def test_canonical_bytes_of_other_bytes_are_today_s() -> None:
    assert decode_single_object(encode(QUEUED)) == (QUEUED, encode(QUEUED))


LONGER_SPELLINGS = [
    (QUEUED, b"\x0a\x02A", b"\x8a\x00\x02A"),  # revision 5 in two bytes instead of one
    (RESOLVED, b"\x01\x00", b"\x03\x00"),  # any byte but 0 reads as true
]


@pytest.mark.parametrize(("event", "usual", "unusual"), LONGER_SPELLINGS)
def test_canonical_bytes_are_the_same_for_every_encoding(event: Any, usual: bytes, unusual: bytes) -> None:
    head, _, tail = encode(event).rpartition(usual)
    padded = head + unusual + tail
    assert decode(padded) == event
    assert decode_single_object(padded) == (event, encode(event))
