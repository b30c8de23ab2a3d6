"""Confluent wire format: 0x00, the schema's id in a registry (4 bytes, big endian), the Avro body."""

import struct
from collections.abc import Iterable
from typing import Protocol

from schemas.avro_schemas import WriterSchema
from schemas.codec import EVENT_MAX_BYTES, DecodeError, encode_body, read_body, validate
from schemas.events import Event

HEADER = struct.Struct(">bI")
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


def schema_ids(values: Iterable[bytes | None]) -> set[int]:
    """Ids of the schemas that are needed to read those of these values that are Confluent wire format."""
    headers = {value[: HEADER.size] for value in values if value and value[0] == 0}
    return {HEADER.unpack(header)[1] for header in headers if len(header) == HEADER.size}


def decode_confluent(data: bytes, ids: SchemaIds) -> Event:
    """The event in Confluent wire format, checked. Raises DecodeError."""
    if len(data) > EVENT_MAX_BYTES:
        raise DecodeError("too_large", f"{len(data)} bytes; an event has at most {EVENT_MAX_BYTES}")
    if len(data) < HEADER.size:
        raise DecodeError("undecodable", f"{len(data)} bytes are too short for Confluent wire format")
    writer = ids.writer(HEADER.unpack_from(data)[1])
    return validate(writer.type, read_body(data[HEADER.size :], writer))
