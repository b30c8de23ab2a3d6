"""Content encodings of requests and responses: lz4, zstd, gzip and deflate."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import lz4.frame
import zstandard

from deploy.local.clickhouse.errors import INCORRECT_DATA, NOT_IMPLEMENTED, refused

# zstd can blow a few bytes up to gigabytes; small slices keep what one step can produce small.
_SLICE = 4096
_DECODERS: dict[str, Callable[[], Any]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(31),
    "x-gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
}
_FAILURES = (RuntimeError, zstandard.ZstdError, zlib.error, EOFError)
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lambda data: bytes(lz4.frame.compress(data)),
    "zstd": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    "gzip": lambda data: gzip.compress(data, compresslevel=1),
}
MIN_COMPRESSED_BYTES = 1024


class Decoder:
    """Decompresses a request body piece by piece, through as many concatenated frames as it holds.

    clickhouse-connect sends every block as a frame of its own: a decoder that stops after the first frame
    loses the other rows without any error.
    """

    def __init__(self, encoding: str) -> None:
        if encoding not in _DECODERS:
            supported = ", ".join(sorted(_DECODERS))
            raise refused(
                NOT_IMPLEMENTED,
                f"Content-Encoding '{encoding}' is not supported here; use {supported}.",
                status=415,
            )
        self._encoding = encoding
        self._make = _DECODERS[encoding]
        self._frame: Any = None

    def feed(self, chunk: bytes) -> bytes:
        """Decompress one piece. Raises QueryError (117) if it is damaged."""
        out = bytearray()
        for start in range(0, len(chunk), _SLICE):
            rest = chunk[start : start + _SLICE]
            while rest:
                rest = self._step(rest, out)
        return bytes(out)

    def _step(self, data: bytes, out: bytearray) -> bytes:
        if self._frame is None:
            self._frame = self._make()
        try:
            out += self._frame.decompress(data)
        except _FAILURES as failure:
            raise self._damaged(str(failure)) from None
        if not self._frame.eof:
            return b""
        rest = bytes(self._frame.unused_data or b"")
        self._frame = None
        return rest

    def finish(self) -> None:
        """Make sure the body did not end inside a frame. Raises QueryError (117)."""
        if self._frame is not None:
            raise self._damaged("the body ends in the middle of a frame")

    def _damaged(self, reason: str) -> Exception:
        return refused(INCORRECT_DATA, f"The request body is not valid {self._encoding}: {reason}.")


def choose_encoding(accept: str, size: int) -> str:
    """The first supported encoding a client accepts; none for answers too small to gain from it."""
    if size < MIN_COMPRESSED_BYTES:
        return ""
    for offer in accept.split(","):
        name, _, weight = offer.strip().partition(";")
        if name in _ENCODERS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return name
    return ""


def encode(data: bytes, encoding: str) -> bytes:
    """Compress an answer as one frame."""
    return _ENCODERS[encoding](data)
