"""Posts over kept HTTP/1.1 connections at half of what a general client costs: it shares the CPUs."""

import asyncio
import re
from collections.abc import Mapping
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r", re.IGNORECASE)
LIMIT_S = 20.0


class Connection(asyncio.Protocol):
    """A connection with one request on its way at most."""

    def __init__(self) -> None:
        self._data = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be written to."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A part of an answer; its status, when it is whole."""
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r") if end else None
        if length and len(rest) >= int(length[1]) and self._answer and not self._answer.done():
            self._answer.set_result(int(head[9:12]))
            self._data = b""

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more comes."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed"))

    async def post(self, request: bytes) -> int:
        """The status of the answer. Raises OSError, TimeoutError."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        late = asyncio.get_running_loop().call_later(LIMIT_S, self.transport.abort)
        try:
            return await self._answer
        finally:
            late.cancel()


class Poster:
    """Connections to one port of this machine, so many at most."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._turns = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises OSError."""
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        async with self._turns:
            connection = await self._connected()
            status = await connection.post(request)
            self._idle.append(connection)
            return status

    async def _connected(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, "127.0.0.1", self._port))[1]

    def close(self) -> None:
        """End the idle connections."""
        for connection in self._idle:
            connection.transport.close()
