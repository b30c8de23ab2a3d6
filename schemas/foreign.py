"""Schemas of events that are not ours to the letter, as registries of others hold them.

Code generators, ksqlDB and people add logical types, name fields and records their own way, make everything
nullable, leave out what has a default, or register one union of all types. What such a schema plainly means
is read; where a meaning would have to be guessed, it is refused with what to change.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro

from schemas.avro_schemas import ForeignField, WriterSchema, by_fingerprint, rabin
from schemas.events import MODELS

# Logical types whose number or text is what we mean anyway; other times are converted.
SAME = frozenset({"timestamp-millis", "time-millis", "uuid"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
UUID_BYTES = 16


class NoEvent(ValueError):
    """A schema that describes no event of ours; the text says why, and what to change."""


def spelling(name: str) -> str:
    """A name as it is compared, without namespace: ksqlDB writes CONTACT_ID, some generators contactId."""
    return name.rpartition(".")[2].replace("_", "").lower()


TYPES = {spelling(model.__name__): type_ for type_, model in MODELS.items()}


def type_of(schema: Mapping[str, Any]) -> str:
    """The event type of a record schema, by its name or an alias of it. Raises NoEvent."""
    names = [schema.get("name", ""), *schema.get("aliases", ())]
    for name in names:
        if spelling(str(name)) in TYPES:
            return TYPES[spelling(str(name))]
    model = MODELS["contact_started"].__name__
    raise NoEvent(
        f"is a record named {names[0]}, no event of Ringback: name it as one ({model}, ...; any namespace), "
        f'or give it the alias it stands for ("aliases": ["ringback.{model}"])'
    )


def without_same(schema: Any) -> Any:
    """The schema without logical types that change nothing, and without defaults: no writer needs them."""
    if isinstance(schema, list):
        return [without_same(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    same = schema.get("logicalType") in SAME and schema.get("type") != "fixed"
    return {
        name: without_same(value)
        for name, value in schema.items()
        if name != "default" and not (name == "logicalType" and same)
    }


def parts_of(type_: Any) -> list[dict[str, Any]]:
    """The types of a field, that are more than a word: one, or the branches of a union."""
    branches = type_ if isinstance(type_, list) else [type_]
    return [branch for branch in branches if isinstance(branch, dict)]


def our_field(name: str, field: Mapping[str, Any]) -> ForeignField:
    """A field that is one of ours. Raises NoEvent where its numbers are in a unit that is not read."""
    parts = parts_of(field["type"])
    for logical in (str(part.get("logicalType", "")) for part in parts):
        if logical.startswith("local-") or logical.endswith("-nanos"):
            raise NoEvent(f"has {field['name']} as {logical}, which is not read: make it timestamp-millis")
    binary = any(part["type"] == "fixed" and part.get("size") == UUID_BYTES for part in parts)
    return ForeignField(name, binary)


def fields_of(type_: str, schema: Mapping[str, Any]) -> dict[str, ForeignField]:
    """Which field of the record is which of ours; those that are none of them are left out."""
    ours = {spelling(name): name for name in (*MODELS[type_].model_fields, "revision_wide") if name != "type"}
    found: dict[str, ForeignField] = {}
    taken: set[str] = set()
    for by_alias in (False, True):  # a field's own name goes before anybody's alias
        for field in schema["fields"]:
            names = field.get("aliases", ()) if by_alias else (field["name"],)
            name = next((ours[spelling(n)] for n in names if spelling(n) in ours), None)
            if name is not None and name not in taken and field["name"] not in found:
                taken.add(name)
                found[field["name"]] = our_field(name, field)
    return found


def writer_of(schema: Any, named: dict[str, Any] | None = None) -> WriterSchema:
    """A schema, as JSON, that events may have been written with; `named` are those it refers to.

    Raises NoEvent, and what Avro's parser says.
    """
    named = {} if named is None else named
    if isinstance(schema, list):
        return WriterSchema("", None, plain=False, branches=tuple(branches_of(schema, named)))
    simple, alone = without_same(schema), not named
    parsed = fastavro.parse_schema(simple, named)
    if isinstance(parsed, str) and parsed in named:
        parsed = named[parsed] | {"__fastavro_parsed": True, "__named_schemas": named}
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise NoEvent("is no record, no event of Ringback")
    known = by_fingerprint().get(rabin(simple)) if alone else None
    if known is not None and "logicalType" not in json.dumps(simple):  # a fingerprint says nothing of units
        return known
    type_ = type_of(parsed)
    return WriterSchema(type_, parsed, plain=False, fields=fields_of(type_, parsed))


def writer_names(schema: Any, named: dict[str, Any]) -> None:
    """Add the names that a schema gives to `named`, for schemas that refer to them."""
    fastavro.parse_schema(without_same(schema), named)


def branches_of(union: list[Any], named: dict[str, Any]) -> list[WriterSchema | None]:
    """Events of a union of records; None for a branch that is none. Raises NoEvent where all are none."""
    found: list[WriterSchema | None] = []
    for branch in union:
        try:
            found.append(writer_of(branch, named))
        except NoEvent:
            found.append(None)
    if not any(found):
        raise NoEvent("is a union without any event of Ringback")
    return found


def our_value(value: Any, binary_uuid: bool) -> Any:
    """A value that was read as the models have it; of what is none of theirs, they say so."""
    if isinstance(value, datetime):
        return (value - EPOCH) // MS
    if isinstance(value, time_of_day):  # a duration
        return (datetime.combine(EPOCH, value, UTC) - EPOCH) // MS
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else value
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if binary_uuid else value.decode()
    return value


def our_fields(read: Mapping[str, Any], fields: Mapping[str, ForeignField]) -> dict[str, Any]:
    """Fields as today's schema has them. What is null is as if left out: each of ours has a default then."""
    return {
        field.name: our_value(value, field.binary_uuid)
        for name, field in fields.items()
        if (value := read.get(name)) is not None
    }
