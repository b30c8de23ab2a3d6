"""Confluent wire format: 0x00, the schema's id in a registry (4 bytes, big endian), the Avro body.

Apicurio's own serializers write ids of 8 bytes, unless they are told not to. No registry gives out the id 0,
so four zeros are the first half of such an id.
"""

import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Protocol

import fastavro

from schemas.avro_schemas import WriterSchema
from schemas.codec import EVENT_MAX_BYTES, DecodeError, encode_body, read_body, validate
from schemas.events import Event

HEADER = struct.Struct(">bI")
WIDE_HEADER = struct.Struct(">bQ")
MAGIC = b"\x00"


class RegistryRefused(RuntimeError):
    """The registry answers, and will not take or give a schema: a person has to look."""


class RegistryUnreachable(ConnectionError):
    """The registry does not answer for now: worth asking again."""


class SchemaIds(Protocol):
    """What is needed of a schema registry."""

    def id_of(self, type_: str) -> int:
        """Id of today's schema of an event type."""

    def writer(self, schema_id: int) -> WriterSchema:
        """The schema behind an id. Raises DecodeError if there is none, or it is none of ours."""


def encode_confluent(event: Event, ids: SchemaIds) -> bytes:
    """An event in Confluent wire format."""
    return HEADER.pack(0, ids.id_of(event.type)) + encode_body(event)


def is_confluent(data: bytes) -> bool:
    """Does it begin like Confluent wire format? Single-object encoding begins with C3."""
    return data[:1] == MAGIC


def schema_id(data: bytes) -> tuple[int, int] | None:
    """The schema's id and where the body begins; None where it is too short."""
    header = WIDE_HEADER if data[1 : HEADER.size] == bytes(4) else HEADER
    return (header.unpack_from(data)[1], header.size) if len(data) >= header.size else None


def schema_ids(values: Iterable[bytes | None]) -> set[int]:
    """Ids of the schemas that are needed to read those of these values that are Confluent wire format."""
    headers = {value[: WIDE_HEADER.size] for value in values if value and value[0] == 0}
    return {found[0] for header in headers if (found := schema_id(header)) is not None}


def branch_of(union: WriterSchema, body: bytes) -> tuple[WriterSchema, bytes]:
    """Which event of a union of records a body is, and the body of that. Raises DecodeError."""
    stream = BytesIO(body)
    try:
        number: Any = fastavro.schemaless_reader(stream, "int", None)
        writer = union.branches[number] if number >= 0 else None
    except (EOFError, IndexError):
        raise DecodeError("undecodable", "the union of its schema has no such branch") from None
    if writer is None:
        raise DecodeError("unknown_schema_id", f"branch {number} of its union is no event of Ringback")
    return writer, body[stream.tell() :]


def decode_confluent(data: bytes, ids: SchemaIds) -> Event:
    """The event in Confluent wire format, checked. Raises DecodeError."""
    if len(data) > EVENT_MAX_BYTES:
        raise DecodeError("too_large", f"{len(data)} bytes; an event has at most {EVENT_MAX_BYTES}")
    found = schema_id(data)
    if found is None:
        raise DecodeError("undecodable", f"{len(data)} bytes are too short for Confluent wire format")
    writer, body = ids.writer(found[0]), data[found[1] :]
    if writer.branches:
        writer, body = branch_of(writer, body)
    return validate(writer.type, read_body(body, writer))
