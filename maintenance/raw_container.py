"""Avro container files made of canonical bytes, without decoding them: for ClickHouse to read.

A record is what is known of it (sql.raw_inserts.BESIDE), the event's bytes as they are, and its body.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from struct import Struct
from typing import NamedTuple

import orjson

from schemas.avro_schemas import current_fingerprints
from schemas.avro_writer import number
from schemas.codec import HEADER_BYTES, MARKER
from schemas.events import MODELS, AgentStateChanged, SourceHeartbeat
from schemas.topics import CONTACT_EVENTS
from sql.raw_inserts import PLACE, wrapper

SYNC = b"ringback-raw-in\x00"
PLACED = Struct(PLACE)
PARTS = 6  # of a wrapped record


class RawRecord(NamedTuple):
    """A record of contact-events as it lies in Kafka. `timestamp` is its time in UTC ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@cache
def types_by_header() -> dict[bytes, str]:
    """What bytes of an event of a contact begin with by today's schemas -> its type."""
    beside = (AgentStateChanged, SourceHeartbeat)
    return {MARKER + current_fingerprints()[t]: t for t, model in MODELS.items() if model not in beside}


@dataclass(slots=True)
class RawBatch:
    """Records wrapped for a container, by the type of event that they say they are; and all others."""

    blocks: dict[str, list[bytes]] = field(default_factory=dict)
    others: list[RawRecord] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # records, by type
    sizes: Counter[str] = field(default_factory=Counter)  # bytes of blocks, by type

    @property
    def count(self) -> int:
        """How many records."""
        return self.counts.total() + len(self.others)

    def split(self, type_: str) -> "RawBatch":
        """Take the records of a type out: a batch of their own."""
        counts = Counter({type_: self.counts.pop(type_)})
        return RawBatch({type_: self.blocks.pop(type_)}, [], counts, Counter({type_: self.sizes.pop(type_)}))

    def add(self, records: Iterable[tuple[str, int, int, int, bytes | None, bytes | None]]) -> None:
        """Wrap some thousand records: of each type they become a block. Fields are those of RawRecord."""
        found: dict[bytes, list[bytes]] = {head: [] for head in types_by_header()}
        place = PLACED.pack
        for record in records:
            _, partition, offset, at, key, value = record
            parts = found.get(value[:HEADER_BYTES]) if value and key else None
            if parts is None:
                self.others.append(RawRecord(*record))
                continue
            assert key  # or there were no parts
            assert value
            parts += (
                number(len(key)), key, place(partition, offset, at),
                number(len(value)), value, value[HEADER_BYTES:],
            )  # fmt: skip
        for head, parts in found.items():
            if parts:
                type_, count = types_by_header()[head], len(parts) // PARTS
                made = block(count, b"".join(parts))
                self.blocks.setdefault(type_, []).append(made)
                self.counts[type_] += count
                self.sizes[type_] += len(made)


def block(count: int, data: bytes) -> bytes:
    """A block of a container."""
    return b"".join((number(count), number(len(data)), data, SYNC))


def prefixed(data: bytes) -> bytes:
    """Avro's bytes: their length, and they."""
    return number(len(data)) + data


@cache
def header(type_: str) -> bytes:
    """How a container of one event type begins."""
    schema = orjson.dumps(wrapper(type_))
    return b"Obj\x01" + number(1) + prefixed(b"avro.schema") + prefixed(schema) + b"\x00" + SYNC


def container(type_: str, blocks: Sequence[bytes]) -> bytes:
    """Blocks of one event type as an Avro container."""
    return b"".join((header(type_), *blocks))


def unwrapped(blocks: Iterable[bytes]) -> Iterator[RawRecord]:
    """The records in blocks, whatever their events are."""
    for data in blocks:
        count, at = read_number(data, 0)
        _, at = read_number(data, at)
        for _ in range(count):
            size, at = read_number(data, at)
            key, at = data[at : at + size], at + size
            partition, offset, sent_at = PLACED.unpack_from(data, at)
            size, at = read_number(data, at + PLACED.size)
            yield RawRecord(CONTACT_EVENTS, partition, offset, sent_at, key, data[at : at + size])
            at += size + size - HEADER_BYTES


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """A length as Avro writes it, and where it ends."""
    value = shift = 0
    while data[at] > 0x7F:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return (value | data[at] << shift) >> 1, at + 1
