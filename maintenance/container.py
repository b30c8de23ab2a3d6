"""Avro container files of events: one schema for all, a union of today's event types.

Written from canonical bytes without decoding them: a value of a union is the number of its branch and the
body. Read are also files of a single type and of other programs, as long as records are called ContactStarted
and so on.
"""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import fastavro
from fastavro.write import Writer

from adapters.kit.outcomes import WrongFile
from schemas.avro_schemas import current_fingerprints, raw_schema
from schemas.codec import HEADER_BYTES, DecodeError, model_fields, validate
from schemas.events import MODELS, Event
from schemas.shape import quoted

BLOCK_BYTES = 512 * 1024
SYNC = b"ringback-events\x00"  # fixed, so that the same events give the same file


@cache
def union() -> Any:
    """The schema of a file: all event types, each with its documentation."""
    return fastavro.parse_schema([raw_schema(type_) for type_ in MODELS])


@cache
def branches() -> dict[bytes, bytes]:
    """Fingerprint of an event type -> its branch of the union, as Avro writes it."""
    # A zigzag number below 64 is one byte.
    return {current_fingerprints()[type_]: bytes([number * 2]) for number, type_ in enumerate(MODELS)}


@cache
def types_by_name() -> dict[str, str]:
    """Name of a record in a schema -> event type."""
    return {raw_schema(type_)["name"]: type_ for type_ in MODELS}


class ContainerWriter:
    """Writes events, given as canonical bytes of today's schemas, into an open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer = Writer(file, union(), codec="deflate", sync_marker=SYNC)
        self._bodies: list[bytes] = []
        self._size = 0

    def add(self, canonical: bytes) -> None:
        """Write an event."""
        self._bodies += (branches()[canonical[2:HEADER_BYTES]], canonical[HEADER_BYTES:])
        self._size += len(canonical)
        if self._size >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        if self._bodies:
            block = SimpleNamespace(
                num_records=len(self._bodies) // 2, bytes_=BytesIO(b"".join(self._bodies))
            )
            self._writer.write_block(block)
            self._bodies, self._size = [], 0


def is_container(path: Path) -> bool:
    """Does the file begin like an Avro container?"""
    with path.open("rb") as file:
        return file.read(4) == b"Obj\x01"


def read_container(path: Path) -> Iterator[Event | DecodeError]:
    """The events of a file in their order; in place of one that is none, why. Raises WrongFile, OSError."""
    with path.open("rb") as file:
        number = 0
        try:
            reader = fastavro.reader(file, return_record_name=True)
            single = reader.writer_schema.get("name") if isinstance(reader.writer_schema, dict) else None
            for value in reader:
                number += 1
                name, fields = named(single, value)
                yield event_of(str(name), fields)
        except (ValueError, EOFError, TypeError, KeyError, IndexError, MemoryError, StopIteration) as error:
            if isinstance(error, WrongFile):
                raise
            raise WrongFile(
                f"{path.name} is no Avro container file of events, or is cut short behind record {number:,} "
                f"({type(error).__name__}); take another copy of it"
            ) from None


def named(single: str | None, value: Any) -> tuple[str, Any]:
    """Name and fields of a record: of a file of one type, or of a union."""
    return (single, value) if single else value


def event_of(name: str, fields: dict[str, Any]) -> Event | DecodeError:
    """The event of a record. Raises WrongFile where its schema is none of ours."""
    type_ = types_by_name().get(name.rpartition(".")[2])
    if type_ is None:
        known = ", ".join(types_by_name())
        raise WrongFile(f"a record is called {quoted(name)}; those of events are called {known}")
    try:
        return validate(type_, model_fields(fields))
    except DecodeError as error:
        return error
