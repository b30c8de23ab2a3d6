"""Schemas of other people's registries (case 52 and more): read as they plainly mean, or refused."""

import copy
import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from adapters.sending.schema_references import NoSuchSchema, named_schemas
from adapters.sending.schema_registry import known_writer
from schemas.avro_schemas import WriterSchema, current, raw_schema
from schemas.codec import MARKER, DecodeError, decode, encode
from schemas.confluent import decode_confluent, schema_ids
from schemas.events import ContactStarted

AT = 1_767_700_000_123
KEY = "ab" * 16
STARTED = ContactStarted(event_id="s", contact_id="c", occurred_at=AT, source="t2", customer_key=KEY)
Schema = dict[str, Any]


class Known:
    """A registry with one schema, in the registry's own answer, under the id 7."""

    def __init__(self, schema: Any, named: Schema | None = None, **more: Any) -> None:
        self.answer, self.named = {"schema": json.dumps(schema)} | more, named

    def id_of(self, type_: str) -> int:
        return 7

    def writer(self, schema_id: int) -> WriterSchema:
        return known_writer(self.answer, {} if self.named is None else self.named, schema_id)


def started(**changes: Any) -> Schema:
    """Today's schema with these types of fields; None leaves a field out."""
    schema = copy.deepcopy(raw_schema("contact_started"))
    for field in schema["fields"]:
        field["type"] = changes.get(field["name"], field["type"])
        if field["name"] in changes:
            field.pop("default", None)
    schema["fields"] = [field for field in schema["fields"] if field["type"] is not None]
    return schema


def body_of(schema: Any, fields: Schema) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(schema)), fields)
    return out.getvalue()


def values(schema: Schema, **changes: Any) -> Schema:
    ours = STARTED.model_dump(exclude={"type"}) | {"revision_wide": 0} | changes
    return {field["name"]: ours.get(field["name"]) for field in schema["fields"]}


def read(schema: Schema, **changes: Any) -> Any:
    return decode_confluent(b"\0\0\0\0\7" + body_of(schema, values(schema, **changes)), Known(schema))


def renamed(schema: Schema, spelt: Callable[[str], str]) -> tuple[Schema, Schema]:
    """A schema whose fields have other names, and the values to write."""
    fields = {spelt(name): value for name, value in values(schema).items()}
    for field in schema["fields"]:
        field["name"] = spelt(field["name"])
    return schema, fields


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


MOMENT = datetime.fromtimestamp(AT // 1000, UTC).replace(microsecond=123_456)
TYPES = {
    "as it is": ({}, {}),
    "without fields that have defaults": (dict.fromkeys(("callback_of", "revision", "leg", "channel")), {}),
    "milliseconds": ({"occurred_at": {"type": "long", "logicalType": "timestamp-millis"}}, {}),
    "microseconds": (
        {"occurred_at": {"type": "long", "logicalType": "timestamp-micros"}},
        {"occurred_at": MOMENT},
    ),
    "uuid as text": ({"event_id": {"type": "string", "logicalType": "uuid"}}, {}),
    "Java's strings": ({"source": {"type": "string", "avro.java.string": "String"}}, {}),
    "an enum": (
        {"direction": {"type": "enum", "name": "Direction", "symbols": ["outbound", "inbound"]}},
        {},
    ),
    "not nullable": ({"customer_key": "string"}, {}),
    "everything nullable": (
        {"leg": ["null", "int"], "direction": ["null", "string"], "occurred_at": ["long", "null"]},
        {"leg": None, "direction": None},
    ),
    "wider numbers": ({"leg": "long", "revision": "long"}, {}),
    "text as bytes": ({"source": "bytes"}, {"source": b"t2"}),
    "whole decimals": (
        {"leg": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"leg": Decimal(1)},
    ),
}


@pytest.mark.parametrize(("types", "changes"), TYPES.values(), ids=TYPES)
def test_types(types: Schema, changes: Schema) -> None:
    """Whatever the schema, the same event with the same canonical bytes."""
    found = read(started(**types), **changes)
    assert found == STARTED
    assert encode(found) == encode(STARTED)


def test_a_uuid_in_sixteen_bytes() -> None:
    number = uuid.UUID(int=5)
    fixed = {"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid"}
    assert read(started(event_id=fixed), event_id=number.bytes).event_id == str(number)


def test_a_time_of_day_is_a_duration() -> None:
    schema = copy.deepcopy(raw_schema("contact_answered"))
    micros = {"type": "long", "logicalType": "time-micros"}
    schema["fields"] = [f | ({"type": micros} if f["name"] == "wait_ms" else {}) for f in schema["fields"]]
    for field in schema["fields"]:
        if field["name"] == "wait_ms":
            del field["default"]
    data = {f["name"]: values(schema)[f["name"]] for f in schema["fields"]} | {"wait_ms": 61_500_000}
    plain = json.loads(json.dumps(schema).replace(json.dumps(micros), '"long"'))
    event = decode_confluent(b"\0\0\0\0\7" + body_of(plain, data), Known(schema))
    assert getattr(event, "wait_ms", None) == 61_500


@pytest.mark.parametrize("head", [{"namespace": "com.acme"}, {"name": "contact_started"}])
def test_the_record_s_name(head: Schema) -> None:
    assert read(started(customer_key="string") | head) == STARTED


@pytest.mark.parametrize("aliases", [["ringback.ContactStarted"], ["Begun", "ContactStarted"]])
def test_an_alias_of_the_record(aliases: list[str]) -> None:
    assert read(started() | {"name": "CallStarted", "aliases": aliases}) == STARTED


def test_an_alias_of_a_field_and_a_field_too_many() -> None:
    schema = started()
    schema["fields"][1] |= {"name": "call", "aliases": ["contact_id"]}
    schema["fields"].append({"name": "priority", "type": ["null", "int"], "default": None})
    data = body_of(schema, values(schema, call="c", priority=3))
    assert decode_confluent(b"\0\0\0\0\7" + data, Known(schema)) == STARTED


@pytest.mark.parametrize("spelt", [str.upper, camel])
def test_spellings_of_fields(spelt: Callable[[str], str]) -> None:
    schema, fields = renamed(started(), spelt)
    assert decode_confluent(b"\0\0\0\0\7" + body_of(schema, fields), Known(schema)) == STARTED


def test_logical_types_and_missing_docs_have_the_same_fingerprint() -> None:
    """As case 52 sends single objects: Avro's canonical form, and so the fingerprint, knows neither."""
    logical = started(occurred_at={"type": "long", "logicalType": "timestamp-millis"})
    bare = json.loads(json.dumps(logical), object_hook=lambda one: {k: one[k] for k in one if k != "doc"})
    number = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(bare), "CRC-64-AVRO")
    assert decode(MARKER + bytes.fromhex(number) + body_of(bare, values(bare))) == STARTED


def test_fields_in_another_order() -> None:
    schema = started()
    schema["fields"].reverse()
    assert read(schema) == STARTED


UNCLEAR = [
    (started() | {"name": "CallStarted"}, 'named ringback.CallStarted.*"aliases"'),
    (started(occurred_at={"type": "long", "logicalType": "local-timestamp-millis"}), "make it timestamp-mil"),
    (started(occurred_at={"type": "long", "logicalType": "timestamp-nanos"}), "make it timestamp-millis"),
    ({"type": "enum", "name": "E", "symbols": ["a"]}, "is no record"),
    ([{"type": "record", "name": "Invoice", "fields": []}], "a union without any event"),
]


@pytest.mark.parametrize(("schema", "said"), UNCLEAR)
def test_what_would_be_a_guess_is_refused(schema: Any, said: str) -> None:
    with pytest.raises(DecodeError, match=said) as refused:
        Known(schema).writer(7)
    assert refused.value.reason == "unknown_schema_id"


def test_other_kinds_of_schemas_are_refused() -> None:
    with pytest.raises(DecodeError, match="PROTOBUF; only Avro"):
        Known(started(), schemaType="PROTOBUF").writer(7)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(DecodeError, match="occurred_at: Field required"):
        read(started(occurred_at=None))


# Unions, references, wide ids

QUEUED = {"type": "record", "name": "Other", "fields": [{"name": "n", "type": "int"}]}


def union_bytes(branch: int, body: bytes) -> bytes:
    return b"\0\0\0\0\7" + bytes([branch * 2]) + body


def test_a_union_of_all_types() -> None:
    schema = started(customer_key="string")
    known = Known([QUEUED, schema, "null"])
    assert decode_confluent(union_bytes(1, body_of(schema, values(schema))), known) == STARTED
    for branch, reason in ((0, "unknown_schema_id"), (2, "unknown_schema_id"), (3, "undecodable")):
        with pytest.raises(DecodeError) as refused:
            decode_confluent(union_bytes(branch, b"\2"), known)
        assert refused.value.reason == reason
    for rest in (b"", b"\x01", b"\xff" * 11):
        with pytest.raises(DecodeError):
            decode_confluent(b"\0\0\0\0\7" + rest, known)


def test_a_union_that_refers_to_its_records() -> None:
    """As Confluent advises for many types in a topic; one of them refers to an enum in turn."""
    enum = {"type": "enum", "name": "com.acme.Direction", "symbols": ["outbound", "inbound"]}
    schema = started(direction="com.acme.Direction") | {"namespace": "com.acme"}
    reference = {"name": "com.acme.ContactStarted", "subject": "acme started", "version": 3}
    answers = {
        "/subjects/acme%20started/versions/3": {
            "schema": json.dumps(schema),
            "references": [{"name": "com.acme.Direction", "subject": "direction", "version": 1}],
        },
        "/subjects/direction/versions/1": {"schema": json.dumps(enum)},
    }
    top = {"references": [reference, reference]}
    named = named_schemas(top, answers.__getitem__)
    whole = json.loads(
        json.dumps(schema).replace('"type": "com.acme.Direction"', f'"type": {json.dumps(enum)}')
    )
    data = union_bytes(0, body_of(whole, values(whole)))
    assert decode_confluent(data, Known(["com.acme.ContactStarted"], named)) == STARTED


def test_references_that_lead_nowhere() -> None:
    def nowhere(path: str) -> Schema:
        raise NoSuchSchema(path)

    def in_circles(path: str) -> Schema:
        number = int(path.rpartition("/")[2]) + 1
        return {"schema": '"int"', "references": [{"subject": "s", "version": number}]}

    for ask, said in ((nowhere, "not there"), (in_circles, "more than"), (lambda _: {}, "is no schema")):
        with pytest.raises(DecodeError, match=said):
            named_schemas({"references": [{"subject": "s", "version": 1}]}, ask)
    with pytest.raises(DecodeError, match="no subject"):
        named_schemas({"references": [{}]}, nowhere)


def test_ids_of_eight_bytes() -> None:
    """As Apicurio's serializers write them."""
    data = b"\0" + (7).to_bytes(8, "big") + body_of(current()["contact_started"], values(started()))
    assert schema_ids([data, data[:5]]) == {7}
    assert decode_confluent(data, Known(started())) == STARTED
    with pytest.raises(DecodeError, match="too short"):
        decode_confluent(data[:8], Known(started()))


def test_without_a_registry_it_is_said_what_is_missing() -> None:
    with pytest.raises(DecodeError, match="set SCHEMA_REGISTRY_URL"):
        decode(b"\0\0\0\0\7" + body_of(started(), values(started())))
