"""ClickHouse's own compression (compress=1, decompress=1), which JDBC, clickhouse-go and connectorx use.

A frame is a checksum of 16 bytes, the method, its size, the size of its data, and the data as an LZ4 block.
"""

from collections.abc import Iterator

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from deploy.local.clickhouse.errors import INCORRECT_DATA, refused

_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_SUM, _HEAD = 16, 9
_LOW = (1 << 64) - 1
BLOCK_BYTES = 1 << 20
MOST_BYTES = 128 << 20  # of one frame; a server has a limit of 1 GiB


def pack(data: bytes) -> bytes:
    """Data as frames; no data are no frame."""
    frames = []
    for start in range(0, len(data), BLOCK_BYTES):
        piece = data[start : start + BLOCK_BYTES]
        packed = lz4.block.compress(piece, store_size=False)
        head = bytes([_LZ4]) + (len(packed) + _HEAD).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
        frames.append(_checksum(head + packed) + head + packed)
    return b"".join(frames)


class BlockDecoder:
    """Takes frames apart, however the network cut them."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of the frames that are complete now. Raises QueryError (117) for what is none."""
        self._rest += chunk
        while len(self._rest) >= _SUM + _HEAD:
            size = int.from_bytes(self._rest[_SUM + 1 : _SUM + 5], "little")
            raw_size = int.from_bytes(self._rest[_SUM + 5 : _SUM + 9], "little")
            if not _HEAD <= size <= MOST_BYTES or raw_size > MOST_BYTES:
                raise _damaged("a frame of an impossible size")
            if len(self._rest) < _SUM + size:
                return
            frame = bytes(self._rest[: _SUM + size])
            del self._rest[: _SUM + size]
            yield _unpacked(frame, raw_size)

    def finish(self) -> None:
        """Make sure that nothing is left. Raises QueryError (117)."""
        if self._rest:
            raise _damaged("the body ends in the middle of a frame")


def _unpacked(frame: bytes, raw_size: int) -> bytes:
    if _checksum(frame[_SUM:]) != frame[:_SUM]:
        raise _damaged("a checksum is wrong")
    method, packed = frame[_SUM], frame[_SUM + _HEAD :]
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(packed, uncompressed_size=raw_size))
        if method == _ZSTD:
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=raw_size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError, MemoryError) as error:
        raise _damaged(str(error)) from None
    if method == _NONE:
        return packed
    raise _damaged(f"method {method:#x} is not known here, only LZ4, ZSTD and none")


def _checksum(data: bytes) -> bytes:
    found = CityHash128(data)
    return int(found >> 64).to_bytes(8, "little") + int(found & _LOW).to_bytes(8, "little")


def _damaged(reason: str) -> Exception:
    return refused(INCORRECT_DATA, f"The request body cannot be decompressed: {reason}.")
