"""Lines of a file (gzip, zip or plain) or of standard input: numbered, never more than 1 MB of each."""

import io
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile

from adapters.kit.gunzip import Gunzip
from adapters.kit.outcomes import InvalidInput, WrongFile
from adapters.kit.unzip import ZIP_MAGIC, open_member
from schemas.dead_letter import PAYLOAD_MAX_BYTES

LINE_MAX_BYTES = 1_000_000
# What unpackers raise in the middle of an archive.
DAMAGED = (EOFError, OSError, ValueError, struct.error, zlib.error, LZMAError, BadZipFile)
STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. `problem` is "" or why it could not be read; then `data` is its beginning."""

    number: int
    data: bytes
    problem: str = ""

    def require_readable(self) -> None:
        """Raise InvalidInput with the problem, if there is one."""
        if self.problem:
            raise InvalidInput(*self.problem.split(": ", 1))


class LineFile:
    """An open file as lines, with its size and how far it was read, both as stored (packed, if it is).

    `keep_payloads`: refused lines are wanted as they are, not only their shapes. `begun`: what tells whether
    it is the right file was before these lines (adapters.kit.line_parts).
    """

    first_number = 1
    begun = False

    def __init__(
        self, name: str, stored: io.BufferedReader, total_bytes: int | None, keep_payloads: bool = False
    ) -> None:
        self.name = name
        self.keep_payloads = keep_payloads
        self.total_bytes = total_bytes
        self._stored = stored
        self._lines: BinaryIO = stored
        if stored.peek(2)[:2] == GZIP_MAGIC:
            self._lines = cast(BinaryIO, io.BufferedReader(Gunzip(stored)))
        elif stored.peek(4)[:4] == ZIP_MAGIC:
            self._lines = open_member(stored, name)

    @property
    def bytes_read(self) -> int:
        """How far into the stored file reading has come; 0 where that cannot be known (a pipe)."""
        return self._stored.tell() if self.total_bytes is not None else 0

    def __iter__(self) -> Iterator[Line]:
        """The lines. A damaged archive ends with a line that says so, after all that could be read."""
        number = self.first_number - 1
        while True:
            number += 1
            try:
                line = self._next(number)
            except DAMAGED as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise  # of the disk; one of bz2 has no number
                yield Line(number, b"", f"damaged_file: {error}")
                return
            if line is None:
                return
            yield line

    def read_piece(self, length: int) -> bytes:
        """The next bytes, up to the end of a line and no more than so many. Raises what DAMAGED names."""
        return self._lines.readline(length)

    def drop_line(self) -> int:
        """Read to the end of the line; how many bytes that were. Raises what DAMAGED names."""
        length = 0
        while piece := self._lines.readline(LINE_MAX_BYTES):
            length += len(piece)
            if piece.endswith(b"\n"):
                break
        return length

    def _next(self, number: int) -> Line | None:
        data = self._lines.readline(LINE_MAX_BYTES + 1)
        if not data:
            return None
        if number == 1:
            data = data.removeprefix(BYTE_ORDER_MARK)
        if len(data) <= LINE_MAX_BYTES or data.endswith(b"\n"):
            return Line(number, data.rstrip(b"\r\n"))
        length = len(data) + self.drop_line()
        detail = f"too_large: {length} bytes; a line has at most {LINE_MAX_BYTES}"
        return Line(number, data[:PAYLOAD_MAX_BYTES], detail)


@contextmanager
def open_lines(path: str | Path, keep_payloads: bool = False) -> Iterator[LineFile]:
    """The lines of a file, packed by gzip or zip or not (its first bytes tell); "-" is standard input.

    Raises WrongFile for a zip archive that does not hold exactly one file, and for a closed standard input.
    """
    if str(path) == STDIN:
        if sys.stdin is None:
            raise WrongFile("standard input is closed; name a file")
        yield LineFile("standard input", cast(io.BufferedReader, sys.stdin.buffer), None, keep_payloads)
        return
    with open(path, "rb") as stored:
        regular = Path(path).is_file()
        name = os.fsencode(Path(path).name).decode("utf-8", "replace")
        size = os.fstat(stored.fileno()).st_size if regular else None
        yield LineFile(name, stored, size, keep_payloads)
