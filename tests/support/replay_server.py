"""Servers that speak AMI and FreeSWITCH's event socket, and replay a recording: whole, cut, or by bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

GREETING = b"Asterisk Call Manager/9.0.0\r\n"


@dataclass
class Script:
    """What each connection gets, one after the other; the last one is kept open. `asked` is what came in."""

    parts: Sequence[bytes]
    piece_bytes: int = 65_536
    password: str = "secret"
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0

    def next(self) -> bytes:
        """The part of the connection that begins."""
        self.connections += 1
        return self.parts[min(self.connections, len(self.parts)) - 1]

    @property
    def last(self) -> bool:
        """Is this the connection that stays?"""
        return self.connections >= len(self.parts)


async def send(writer: asyncio.StreamWriter, data: bytes, script: Script) -> None:
    """Send in pieces."""
    for begin in range(0, len(data), script.piece_bytes):
        writer.write(data[begin : begin + script.piece_bytes])
        await writer.drain()


async def stay_or_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, script: Script) -> None:
    """The last connection answers nothing any more; the others are dropped."""
    if script.last:
        while data := await reader.read(4096):
            script.asked.append(data)
    writer.transport.abort()


async def ami(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, script: Script) -> None:
    """One connection of AMI."""
    part = script.next()
    await send(writer, GREETING, script)
    login = await reader.readuntil(b"\r\n\r\n")
    script.asked.append(login)
    good = f"Secret: {script.password}\r\n".encode() in login
    said = (
        b"Response: Success\r\nMessage: Authentication accepted"
        if good
        else b"Response: Error\r\nMessage: Authentication failed"
    )
    await send(
        writer,
        said.replace(b"\r\n", b"\r\nActionID: 1\r\n", 1) + b"\r\n\r\n" + (part if good else b""),
        script,
    )
    await stay_or_leave(reader, writer, script)


async def event_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, script: Script) -> None:
    """One connection of the event socket."""
    part = script.next()
    await send(writer, b"Content-Type: auth/request\n\n", script)
    good = await reader.readuntil(b"\n\n") == f"auth {script.password}\n\n".encode()
    reply = b"Content-Type: command/reply\nReply-Text: %s\n\n"
    await send(writer, reply % (b"+OK accepted" if good else b"-ERR invalid"), script)
    if good:
        script.asked.append(await reader.readuntil(b"\n\n"))
        await send(writer, reply % b"+OK event listener enabled json" + part, script)
    await stay_or_leave(reader, writer, script)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Script], object]


@asynccontextmanager
async def serving(serve: Serve, script: Script) -> AsyncIterator[int]:
    """The server's port while the block runs."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer, script)  # type: ignore[misc]
        except (ConnectionError, asyncio.IncompleteReadError):
            return

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None


def frames(lines: Sequence[bytes]) -> list[bytes]:
    """Events in JSON as frames of the event socket."""
    return [b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(line), line) for line in lines]
