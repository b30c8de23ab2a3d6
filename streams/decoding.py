"""Wire bytes to an event and its canonical bytes."""

from dataclasses import dataclass

from schemas.codec import decode, encode
from schemas.confluent import SchemaIds, decode_confluent, is_confluent
from schemas.events import Event
from streams.apply import Decode
from streams.schema_lookup import Registry


@dataclass(frozen=True, slots=True)
class Wire:
    """How events are read. `decode` never waits: what it needs of the registry is fetched before."""

    decode: Decode
    registry: Registry | None = None


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
