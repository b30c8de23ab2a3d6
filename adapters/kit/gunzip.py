"""Unpacking a gzip file as far as it goes: one cut off half-way still gives all that was in it."""

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:  # the standard library has it from Python 3.12 on
    from typing_extensions import Buffer

CHUNK_BYTES = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS


class Gunzip(io.RawIOBase):
    """Unpacked bytes of a gzip file of one or more members, never more than asked for at once.

    The standard library's GzipFile throws away what it had unpacked when the file turns out to be cut off.
    """

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._unpacker = zlib.decompressobj(GZIP)
        self._packed = b""
        self._inside = False

    def readable(self) -> bool:
        """Yes: what io.BufferedReader asks before it reads."""
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        """Fill the buffer; 0 at the end. Raises EOFError or zlib.error where the file is damaged."""
        view = memoryview(buffer)
        while True:
            self._packed = self._packed or self._stored.read(CHUNK_BYTES)
            if not self._packed and not self._inside:
                return 0
            ended = not self._packed
            data = self._unpacker.decompress(self._packed, len(view))
            self._packed, self._inside = self._unpacker.unconsumed_tail, True
            if self._unpacker.eof:
                # Zeros after a member are padding of tapes and downloads, not another member.
                self._packed = (self._unpacker.unused_data or self._stored.read(CHUNK_BYTES)).lstrip(b"\0")
                self._unpacker, self._inside = zlib.decompressobj(GZIP), False
            if data:
                view[: len(data)] = data
                return len(data)
            if ended:
                raise EOFError("the gzip file is cut off")
