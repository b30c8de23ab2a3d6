"""`ringback listen`: events that a system tells over a connection, such as Asterisk's AMI."""

import asyncio
import os
from typing import Annotated

import typer

from adapters.kit.sessions import Listener, Refused
from adapters.kit.source import load
from adapters.registry import SOURCES, NoSuchSource, source_of
from adapters.sending.listening import Address, Listened, listen_until
from adapters.sending.metrics import registry_of
from adapters.sending.outcomes import Pulse
from adapters.sending.producer import NotSent
from cli.console import UNREACHABLE, WRONG_USE, fail, out, settings
from cli.metrics_server import serve_registry
from cli.port_offsets import LISTEN_PORT_OFFSET
from cli.secrets import customer_secret
from cli.sending import open_sender
from cli.stopping import stop_event

Name = Annotated[
    str, typer.Argument(help="A source with a connection, such as asterisk_ami.", metavar="NAME")
]
At = Annotated[str, typer.Argument(help="Where it listens, HOST:PORT.", metavar="HOST:PORT")]
User = Annotated[str, typer.Option(help="The user to log in as; FreeSWITCH knows none.")]


def address_of(text: str) -> Address:
    """HOST:PORT; ends the command where it is none."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        fail(f"{text} is no HOST:PORT, such as 127.0.0.1:5038", WRONG_USE)
    return Address(host.strip("[]"), int(port))


def listener_of(name: str, user: str) -> Listener:
    """What listens to a source; ends the command where it has no connection, or no password is set."""
    try:
        source = source_of(name)
    except NoSuchSource as error:
        fail(str(error), WRONG_USE)
    if not source.listen:
        can = ", ".join(each.name for each in SOURCES if each.listen)
        fail(f"{name} has no connection that can be listened to; those that have are {can}", WRONG_USE)
    secret = customer_secret(settings())  # settings that are wrong are told of first
    setting = f"RINGBACK_SECRET_{name.upper()}"
    password = os.environ.get(setting, "")
    if not password:
        fail(f"no password; set {setting}", WRONG_USE)
    if any(not text.isprintable() for text in (user, password)):
        fail("a user or password with a line break or other unprintable letters cannot be sent", WRONG_USE)
    listener: Listener = load(source.listen)(user, password, secret)
    return listener


def listen(name: Name, address: At, user: User = "ringback") -> None:
    """Send the events that a system tells over a connection, connecting again whenever it is lost.

    What happens while nobody is connected is not told again: follow the log as well, where there is one.

    Example: RINGBACK_SECRET_ASTERISK_AMI=... ringback listen asterisk_ami 127.0.0.1:5038
    """
    where, listener = address_of(address), listener_of(name, user)
    try:
        heard = asyncio.run(run(listener, where, name))
    except Refused as error:
        fail(str(error), WRONG_USE)
    except NotSent as error:
        fail(str(error), UNREACHABLE)
    out.print(
        f"blocks {heard.blocks:,}, sent {heard.sent:,}, dead letters {heard.dead_letters:,}, "
        f"connections {heard.connections:,}"
    )


async def run(listener: Listener, address: Address, name: str) -> Listened:
    """Listen until SIGINT or SIGTERM."""
    stop, heard, config = stop_event(), Listened(), settings()
    serve_registry(config, registry_of(name, heard), LISTEN_PORT_OFFSET)
    async with await open_sender(config) as sender:
        await listen_until(stop, listener, address, sender, heard, Pulse(name))
    return heard
