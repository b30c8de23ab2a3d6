"""Wire bytes to an event and its canonical bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from schemas.codec import DecodeError, decode, encode
from schemas.confluent import SchemaIds, decode_confluent, is_confluent
from schemas.dead_letter import kept_record
from schemas.events import Event
from schemas.forgotten import NOBODY, Ledger
from streams.kafka.record import Decode, Record, RefusedRecord
from streams.kafka.schema_lookup import Registry

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Wire:
    """How events are read. `decode` never waits: what it needs of the registry is fetched before."""

    decode: Decode
    registry: Registry | None = None
    forgotten: Ledger = NOBODY


def decode_single_object(data: bytes) -> tuple[Event, bytes]:
    """Event and canonical bytes of single-object encoded bytes. Raises DecodeError."""
    event = decode(data)
    return event, encode(event)


def decode_either(ids: SchemaIds) -> Decode:
    """A decoder of both wire formats, for a deployment with a schema registry."""

    def decode_data(data: bytes) -> tuple[Event, bytes]:
        if not is_confluent(data):
            return decode_single_object(data)
        event = decode_confluent(data, ids)
        return event, encode(event)

    return decode_data


def sifted(
    records: Iterable[Record], read: Callable[[Record], Found]
) -> tuple[list[Found], list[RefusedRecord]]:
    """What `read` makes of records, and those that it refuses by a DecodeError."""
    found: list[Found] = []
    refused: list[RefusedRecord] = []
    for record in records:
        try:
            found.append(read(record))
        except DecodeError as error:
            kept = kept_record(error.reason, record.value or b"")
            refused.append(RefusedRecord(record.offset, error.reason, error.detail, kept))
    return found, refused
