"""Wire bytes to an event and its canonical bytes."""

from schemas.codec import decode, encode
from schemas.events import Event


def decode_single_object(data: bytes) -> tuple[Event, bytes]:
    """Event and canonical bytes of single-object encoded bytes. Raises DecodeError."""
    event = decode(data)
    return event, encode(event)
