"""Content encodings of requests and responses: lz4, zstd, gzip and deflate."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import lz4.frame
import zstandard

from deploy.local.clickhouse.errors import INCORRECT_DATA, NOT_IMPLEMENTED, refused

# What one step can produce must be small: lz4 makes at most 255 bytes of one, gzip 1,000, zstd 30,000.
_SLICE = 4096
_SLICES = {"zstd": 256}
_DECODERS: dict[str, Callable[[], Any]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(31),
    "x-gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
}
STEP_BYTES = 1 << 20
_FAILURES = (RuntimeError, zstandard.ZstdError, zlib.error, EOFError)
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lambda data: bytes(lz4.frame.compress(data)),
    "zstd": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    "gzip": lambda data: gzip.compress(data, compresslevel=1),
}


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

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decompress one piece, in steps of a few megabytes. Raises QueryError (117) if it is damaged."""
        size = _SLICES.get(self._encoding, _SLICE)
        gathered = bytearray()
        for start in range(0, len(chunk), size):
            rest = chunk[start : start + size]
            while rest:
                rest = self._step(rest, gathered)
            if len(gathered) >= STEP_BYTES:
                yield bytes(gathered)
                gathered.clear()
        if gathered:
            yield bytes(gathered)

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


def choose_encoding(accept: str) -> str:
    """The first supported encoding a client accepts."""
    for offer in accept.split(","):
        name, _, weight = offer.strip().partition(";")
        if name in _ENCODERS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return name
    return ""


def encode(data: bytes, encoding: str) -> bytes:
    """Compress an answer as one frame."""
    return _ENCODERS[encoding](data)
