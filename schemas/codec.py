"""Avro bytes <-> events.

On the wire is Avro single-object encoding: 0xC3 0x01, the writer schema's 8-byte fingerprint, the body. The
schemas are in the package, so no server is needed to read an old topic.
"""

from difflib import get_close_matches
from functools import cache
from io import BytesIO
from typing import Any

import fastavro
from pydantic import ValidationError

from schemas.avro_schemas import WriterSchema, by_fingerprint, current, current_fingerprints
from schemas.avro_writer import BodyWriter, record_writer
from schemas.events import MODELS, Event
from schemas.foreign import our_fields
from schemas.shape import quoted

MARKER = b"\xc3\x01"
HEADER_BYTES = 10
INT_MAX = 2**31 - 1  # of Avro's int
# Kafka's own default record limit; nothing honest comes near it, the largest event has under 3 kB.
EVENT_MAX_BYTES = 1_000_000


class DecodeError(ValueError):
    """Bytes that are no event. `reason` is a stable short code for counting, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def _place(item: Any, type_: str) -> str:
    """Which field an error is about. The name of one that we do not know is content too: its shape."""
    name = ".".join(str(part) for part in item["loc"]) or "event"
    if item["type"] != "extra_forbidden":
        return name
    alike = get_close_matches(name, MODELS[type_].model_fields, 1)
    return f"field {quoted(name)}{f' (did you mean {alike[0]}?)' if alike else ''}"


def explain(error: ValidationError, type_: str) -> str:
    """A validation error in one line: each field with what is wrong, and never the offending value."""
    return "; ".join(
        f"{_place(item, type_)}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    )


@cache
def body_writers() -> dict[str, BodyWriter]:
    """What writes the fields of each event type by today's schema."""
    return {name: record_writer(schema) for name, schema in current().items()}


@cache
def headers() -> dict[str, bytes]:
    """What stands before the body of each event type."""
    return {name: MARKER + fingerprint for name, fingerprint in current_fingerprints().items()}


def encode_body(event: Event) -> bytes:
    """The Avro body alone, without any framing."""
    fields = event.__dict__ if event.revision <= INT_MAX else avro_fields(event)  # the hot path calls nothing
    return body_writers()[event.type](fields)


def avro_fields(event: Event) -> dict[str, Any]:
    """Fields as the schema has them. Readers of version 1 know revisions of 32 bits only (ADR 0020)."""
    if event.revision <= INT_MAX:
        return event.__dict__
    return event.__dict__ | {"revision": INT_MAX, "revision_wide": event.revision}


def model_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of today's schema as the model has them."""
    wide = fields.pop("revision_wide", 0)
    if wide > INT_MAX:
        fields["revision"] = wide
    return fields


def encode(event: Event) -> bytes:
    """Single-object encoding of an event: also its canonical bytes, equal for equal events.

    Received bytes are not canonical as they are: readers accept longer spellings of the same number.
    """
    return headers()[event.type] + encode_body(event)


def read_body(body: bytes, writer: WriterSchema) -> dict[str, Any]:
    """Fields of an Avro body written with `writer`, as today's schema has them. Raises DecodeError."""
    stream = BytesIO(body)
    try:
        # Of bytes of an older version the model gives what is missing, as the schema would: at half the cost.
        fields: dict[str, Any] = fastavro.schemaless_reader(stream, writer.parsed, None)  # type: ignore[assignment]
        if not writer.plain:
            fields = our_fields(fields, writer.fields)
    except Exception as error:  # whatever a hostile body provokes in the reader is a bad body
        raise DecodeError("undecodable", f"{writer.type}: {type(error).__name__}") from None
    if stream.tell() != len(body):
        raise DecodeError("undecodable", f"{writer.type}: {len(body) - stream.tell()} bytes left over")
    return model_fields(fields) if "revision_wide" in fields else fields


def split(data: bytes) -> tuple[WriterSchema, bytes]:
    """Schema and body of single-object bytes. Raises DecodeError."""
    if len(data) > EVENT_MAX_BYTES:
        raise DecodeError("too_large", f"{len(data)} bytes; an event has at most {EVENT_MAX_BYTES}")
    if data[:2] != MARKER or len(data) < HEADER_BYTES:
        detail = "does not begin with the Avro single-object marker C3 01"
        if data[:1] == b"\x00":
            detail += "; if it is Confluent wire format, set SCHEMA_REGISTRY_URL for worker and sink"
        raise DecodeError("not_single_object", detail)
    writer = by_fingerprint().get(data[2:HEADER_BYTES])
    if writer is None:
        raise DecodeError(
            "unknown_fingerprint",
            f"schema {data[2:HEADER_BYTES].hex()} is not in this version of Ringback; upgrade the worker",
        )
    return writer, data[HEADER_BYTES:]


def validate(type_: str, fields: dict[str, Any]) -> Event:
    """The event with these fields. Raises DecodeError with what is wrong with each."""
    try:
        return MODELS[type_].model_validate(fields)
    except ValidationError as error:
        raise DecodeError("invalid_event", f"{type_}: {explain(error, type_)}") from None


def decode(data: bytes) -> Event:
    """The event in single-object bytes, checked. Raises DecodeError."""
    writer, body = split(data)
    return validate(writer.type, read_body(body, writer))
