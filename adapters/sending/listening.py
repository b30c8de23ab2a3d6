"""Sending what a system tells over a connection: connecting again whenever it is lost."""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field

import structlog

from adapters.kit.sessions import BrokenProtocol, Listener, Session, waits
from adapters.sending.outcomes import Counts, Pulse, Sender, pause, send_outcome

log = structlog.get_logger()
READ_BYTES = 65_536
CONNECT_LIMIT_S = 10.0
QUIET_S = 30.0  # nothing heard for so long: ask whether anybody is there; twice so long: nobody is


@dataclass
class Listened(Counts):
    """What was heard and sent."""

    blocks: int = 0
    connections: int = 0


@dataclass
class Address:
    """Where to connect, and how long a connection may be quiet."""

    host: str
    port: int
    quiet_s: float = QUIET_S
    chance: random.Random = field(default_factory=random.Random)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


async def listen_until(
    stop: asyncio.Event,
    listener: Listener,
    address: Address,
    sender: Sender,
    heard: Listened,
    pulse: Pulse,
) -> None:
    """Listen until told to stop. Raises Refused where the system does not let us in, and NotSent."""
    pauses = waits(address.chance)
    while not stop.is_set():
        session = listener.session()
        why = await listen_once(stop, session, address, sender, heard, pulse)
        if stop.is_set():
            return
        if session.ready:
            pauses = waits(address.chance)  # it was there: begin with short pauses again
        pause_s = next(pauses)
        log.warning("no connection", address=str(address), why=why, again_in_s=round(pause_s, 1))
        await pause(stop, pause_s)


async def listen_once(
    stop: asyncio.Event,
    session: Session,
    address: Address,
    sender: Sender,
    heard: Listened,
    pulse: Pulse,
) -> str:
    """Connect, and send what is told until the connection is lost; why it was. Raises Refused, NotSent."""
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            reader, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        return str(error) or "no answer"
    heard.connections += 1
    ended = asyncio.create_task(stop.wait())
    try:
        return await hear(ended, session, reader, writer, address, sender, heard, pulse)
    except (BrokenProtocol, ConnectionError) as error:
        return str(error) or type(error).__name__
    finally:
        heard.connected = False
        ended.cancel()
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


async def hear(
    ended: asyncio.Task[bool],
    session: Session,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    address: Address,
    sender: Sender,
    heard: Listened,
    pulse: Pulse,
) -> str:
    """Read until the end, or until nobody answers; why it ended."""
    asked = False
    while True:
        writer.write(session.answers())
        await writer.drain()
        reading = asyncio.create_task(reader.read(READ_BYTES))
        done, _ = await asyncio.wait({reading, ended}, timeout=address.quiet_s, return_when="FIRST_COMPLETED")
        if reading not in done:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await reading
            if ended in done:
                return "told to stop"
            if asked:
                return "nobody answers"
            asked = True
            writer.write(session.still_there())
            continue
        data = reading.result()
        if not data:
            return "closed by the other side"
        asked = False
        await send_all(session, data, sender, heard)
        if session.ready:
            note_heard(heard, address)
            await pulse.beat(sender)


def note_heard(heard: Listened, address: Address) -> None:
    """Somebody is there who let us in. What happened between two connections nobody tells again."""
    if not heard.connected:
        heard.connected = True
        heard.gaps += bool(heard.heard_s)
        log.info("connected", address=str(address))
    heard.heard_s = time.time()


async def send_all(session: Session, data: bytes, sender: Sender, heard: Listened) -> None:
    """Send what some bytes tell, and wait until Kafka has it."""
    before = heard.sent + heard.dead_letters
    for outcome in session.feed(data, time.time_ns() // 1_000_000):
        heard.blocks += 1
        await send_outcome(outcome, sender, heard)
    if heard.sent + heard.dead_letters > before:
        await sender.flush()
