"""Take in a request body: the SQL into memory, the data of an INSERT into a file."""

import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.clickhouse.blocks import BlockDecoder
from deploy.local.clickhouse.compression import Decoder
from deploy.local.clickhouse.errors import QUERY_IS_TOO_LARGE, refused
from deploy.local.clickhouse.guard import check_values
from deploy.local.clickhouse.statement import InsertHead, split_insert

HEAD_BYTES = 256 * 1024
MAX_SQL_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Incoming:
    """A request's SQL (Latin-1 text, see tokens.py) and, for an INSERT with data, the file that has them."""

    text: str
    insert: InsertHead | None = None
    data: Path | None = None

    @property
    def head(self) -> str:
        """The SQL without the data of an INSERT."""
        return self.text if self.insert is None else self.text[: self.insert.data_offset]


class SpoolFile:
    """A temporary file inside the data folder, gone when the block ends."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, suffix=".insert")
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)

    def complete(self) -> None:
        """Everything is written: let others read it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


async def decoded(
    chunks: AsyncIterator[bytes], decoder: Decoder | BlockDecoder | None, limit: int
) -> AsyncIterator[bytes]:
    """The body as it was before it was compressed.

    Raises QueryError when it is damaged or longer than ``limit`` bytes once decompressed.
    """
    size = 0
    async for chunk in chunks:
        for data in decoder.feed(chunk) if decoder else (chunk,):
            size += len(data)
            if size > limit:
                raise refused(
                    QUERY_IS_TOO_LARGE,
                    f"The request body is larger than {limit} bytes; send smaller batches.",
                )
            yield data
    if decoder:
        decoder.finish()


async def receive(query: str, chunks: AsyncIterator[bytes], spool: SpoolFile) -> Incoming:
    """Read a body of which ``query``, from the URL, is the beginning. Raises QueryError.

    The head is read until an INSERT shows where its data begin; from there on everything goes to the file.
    """
    head = bytearray(query.encode() + b"\n" if query else b"")
    insert: InsertHead | None = None
    async for chunk in chunks:
        if insert is not None:
            spool.write(chunk)
            continue
        tried = len(head) >= HEAD_BYTES
        head += chunk
        if len(head) >= HEAD_BYTES and not tried:
            insert = _spill(head, spool)
        elif len(head) > MAX_SQL_BYTES:
            raise refused(QUERY_IS_TOO_LARGE, f"The SQL is longer than {MAX_SQL_BYTES} bytes.")
    if insert is None and len(head) < HEAD_BYTES:
        insert = _spill(head, spool)
    spool.complete()
    return Incoming(head.decode("latin-1"), insert, None if insert is None else spool.path)


def _spill(head: bytearray, spool: SpoolFile) -> InsertHead | None:
    text = head.decode("latin-1")
    insert = split_insert(text)
    if insert is not None:
        if insert.format.upper() == "VALUES" and len(head) < HEAD_BYTES:
            check_values(text[insert.data_offset :])
        spool.write(bytes(head[insert.data_offset :]))
        del head[insert.data_offset :]
    return insert
