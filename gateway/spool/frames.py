"""Records as frames of a file: length and CRC-32 before each, so that a torn end is known for one."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.sending.records import OutgoingRecord

HEAD = struct.Struct("<II")  # length of what follows, its CRC-32
SIZES = struct.Struct("<HI")  # of topic and key; the value is the rest
# Above what the gateway takes in one body; a length beyond it is damage, not a record.
FRAME_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """A record, and where it ends in its file."""

    record: OutgoingRecord
    end: int


def frame(record: OutgoingRecord) -> bytes:
    """A record as a frame."""
    topic = record.topic.encode()
    body = b"".join((SIZES.pack(len(topic), len(record.key)), topic, record.key, record.value))
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def frames_in(data: bytes, begin: int = 0) -> Iterator[Frame]:
    """The whole frames of a file, up to the first that is none."""
    at = begin
    while len(data) - at >= HEAD.size:
        length, checksum = HEAD.unpack_from(data, at)
        end = at + HEAD.size + length
        if length < SIZES.size or length > FRAME_MAX_BYTES or end > len(data):
            return
        body = data[at + HEAD.size : end]
        found = record_of(body) if zlib.crc32(body) == checksum else None
        if found is None:
            return
        yield Frame(found, end)
        at = end


def record_of(body: bytes) -> OutgoingRecord | None:
    """The record in a frame; None where its sizes do not fit."""
    topic_size, key_size = SIZES.unpack_from(body)
    key_at = SIZES.size + topic_size
    value_at = key_at + key_size
    if value_at > len(body):
        return None
    try:
        topic = body[SIZES.size : key_at].decode()
    except UnicodeDecodeError:
        return None
    return OutgoingRecord(topic, body[key_at:value_at], body[value_at:])


def whole_until(data: bytes) -> int:
    """Where the last whole frame ends."""
    end = 0
    for found in frames_in(data):
        end = found.end
    return end


def is_torn(data: bytes, end: int) -> bool:
    """Is what follows the last whole frame the beginning of one that a crash cut off, and no damage?

    A crash leaves less than a frame, or zeros where the file was longer than what had been written.
    """
    rest = data[end:]
    if len(rest) < HEAD.size or not rest.strip(b"\0"):
        return True
    length: int = HEAD.unpack_from(rest)[0]
    return SIZES.size <= length <= FRAME_MAX_BYTES and HEAD.size + length > len(rest)
