"""`ringback follow`: events of a log while it is written, such as Asterisk's queue_log."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from adapters.kit.outcomes import WrongFile
from adapters.kit.source import load
from adapters.registry import SOURCES, NoSuchSource, source_of
from adapters.sending.following import Followed, Follows, follow_once, follow_until
from adapters.sending.metrics import registry_of
from adapters.sending.outcomes import Pulse
from adapters.sending.producer import NotSent
from cli.console import UNREACHABLE, WRONG_USE, err, fail, out, settings
from cli.metrics_server import serve_registry
from cli.port_offsets import FOLLOW_PORT_OFFSET
from cli.secrets import customer_secret
from cli.sending import open_sender
from cli.stopping import stop_event

Name = Annotated[str, typer.Argument(help="A source of a log, such as asterisk.", metavar="NAME")]
Log = Annotated[
    str,
    typer.Argument(
        help="The log that is being written: a file, or a table at postgresql://... or mysql://...",
        metavar="FILE",
    ),
]
Position = Annotated[
    Path | None,
    typer.Option(help="Where to keep how far was read. Default: follow-NAME.json in RINGBACK_DATA_DIR."),
]
Every = Annotated[float, typer.Option(help="Seconds between two looks at a quiet log.", min=0.05, max=60)]
Once = Annotated[bool, typer.Option("--once", help="Send what is there and end.")]


def follow(name: Name, file: Log, position: Position = None, every: Every = 0.25, once: Once = False) -> None:
    """Send the events of a log while it is written, across rotations and restarts.

    Begins with the oldest rotated file, and goes on where it was left: nothing is lost, nothing counts twice.

    Example: ringback follow asterisk /var/log/asterisk/queue_log
    """
    config = settings()
    try:
        source = source_of(name)
    except NoSuchSource as error:
        fail(str(error), WRONG_USE)
    if not source.follow:
        can = ", ".join(each.name for each in SOURCES if each.follow)
        fail(f"{name} is no log that can be followed; those are {can}", WRONG_USE)
    if "://" not in file and not Path(file).is_file():
        fail(f"{file} is no file; name the log that is being written", WRONG_USE)
    kept = position or config.data_dir / f"follow-{name}.json"
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        following: Follows = load(source.follow)(file, kept, customer_secret(config))
        followed = asyncio.run(run(following, every, once, name))
    except WrongFile as error:
        fail(str(error), WRONG_USE)
    except NotSent as error:
        fail(str(error), UNREACHABLE)
    except OSError as error:
        if error.filename is None:
            raise
        fail(f"cannot use {error.filename}: {error.strerror}", WRONG_USE)
    out.print(f"lines {followed.lines:,}, sent {followed.sent:,}, dead letters {followed.dead_letters:,}")
    if following.gaps:
        err.print("lines were lost; see the dead letters with the reason lines_lost", highlight=False)


async def run(following: Follows, every_s: float, once: bool, name: str) -> Followed:
    """Follow until SIGINT or SIGTERM, or to the end of what is there."""
    stop, followed, config = stop_event(), Followed(), settings()
    async with await open_sender(config) as sender:
        if once:
            while not stop.is_set() and await follow_once(following, sender, followed):
                pass
        else:
            serve_registry(config, registry_of(name, followed), FOLLOW_PORT_OFFSET)
            await follow_until(stop, following, sender, followed, every_s, Pulse(name))
    following.close()
    return followed
