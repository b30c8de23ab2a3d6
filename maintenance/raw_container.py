"""Avro container files made of canonical bytes, without decoding them: for ClickHouse to read.

A record is what is known of it (sql.raw_inserts.BESIDE), the event's bytes as they are, and its body.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import orjson

from schemas.avro_schemas import current_fingerprints
from schemas.avro_writer import number
from schemas.codec import HEADER_BYTES, MARKER
from schemas.events import MODELS, AgentStateChanged, SourceHeartbeat
from sql.raw_inserts import wrapper

SYNC = b"ringback-raw-in\x00"


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


def by_type(records: Iterable[RawRecord]) -> tuple[dict[str, list[RawRecord]], list[RawRecord]]:
    """Records by the type of event that they say they are, and those of other schemas and formats."""
    known = types_by_header()
    found: dict[str, list[RawRecord]] = {}
    others: list[RawRecord] = []
    for record in records:
        type_ = known.get(record.value[:HEADER_BYTES]) if record.value and record.key else None
        if type_ is None:
            others.append(record)
        else:
            found.setdefault(type_, []).append(record)
    return found, others


def prefixed(data: bytes) -> bytes:
    """Avro's bytes: their length, and they."""
    return number(len(data)) + data


@cache
def header(type_: str) -> bytes:
    """How a container of one event type begins."""
    schema = orjson.dumps(wrapper(type_))
    return b"Obj\x01" + number(1) + prefixed(b"avro.schema") + prefixed(schema) + b"\x00" + SYNC


def container(type_: str, records: Sequence[RawRecord]) -> bytes:
    """Records of one event type as an Avro container of one block."""
    parts: list[bytes] = []
    for _, partition, offset, timestamp, key, value in records:
        assert key is not None  # by_type leaves the others out
        assert value is not None
        parts += (
            number(len(key)), key, number(partition), number(offset), number(timestamp), number(len(value)),
            value, value[HEADER_BYTES:],
        )  # fmt: skip
    block = b"".join(parts)
    return b"".join((header(type_), number(len(records)), number(len(block)), block, SYNC))
