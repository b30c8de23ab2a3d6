"""Asks a broker whether clients can use it: one Metadata request over a plain socket."""

import contextlib
import socket
import struct

from deploy.local.ports import LOOPBACK

METADATA_KEY = 3
METADATA_VERSION = 1
CORRELATION_ID = 1
TIMEOUT_S = 1.0


def is_usable(port: int) -> bool:
    """Whether the broker answers Metadata and lists a live broker.

    The port opens earlier than that: a broker that is not yet let into its cluster lists none.
    """
    try:
        with contextlib.closing(socket.create_connection((LOOPBACK, port), TIMEOUT_S)) as connection:
            connection.sendall(metadata_request())
            (size,) = struct.unpack(">i", _read(connection, 4))
            return live_brokers(_read(connection, min(size, 65536))) > 0
    except (OSError, struct.error):
        return False


def metadata_request() -> bytes:
    """Metadata, version 1, about no topic: size, key, version, correlation id, no client id, empty array."""
    body = struct.pack(">hhihi", METADATA_KEY, METADATA_VERSION, CORRELATION_ID, -1, 0)
    return struct.pack(">i", len(body)) + body


def live_brokers(answer: bytes) -> int:
    """How many brokers an answer to `metadata_request` lists; 0 for something that is no such answer."""
    correlation_id, brokers = struct.unpack_from(">ii", answer)
    return brokers if correlation_id == CORRELATION_ID else 0


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionError("the broker closed the connection")
        data += chunk
    return data
