"""`ringback wallboard`: the page that hangs on the wall."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
import typer

from cli.alerting.files import LEDGER
from cli.clickhouse import client
from cli.console import UNREACHABLE, WRONG_USE, fail, out, settings
from cli.gateway_secrets import tokens
from cli.port_offsets import WALLBOARD_PORT_OFFSET
from cli.settings import Settings, rules_of
from cli.stopping import stop_event
from cli.wallboard_alerts import latest_changes
from cli.wallboard_settings import WallboardSettings
from deploy.local.ports import is_loopback
from streams.health.ready_file import mark
from wallboard.config import ConfigError, WallConfig, load
from wallboard.doors import Doors
from wallboard.feed import wall_ms
from wallboard.reading import Reader
from wallboard.server import Wall, listen, observation, running

log = structlog.get_logger()
File = Annotated[
    Path | None,
    typer.Option("--file", help="Queues, their order, names and targets; default: RINGBACK_WALLBOARD_FILE."),
]
Check = Annotated[bool, typer.Option("--check", help="Read the file, say what is on the wall, and end.")]


def wallboard(file: File = None, check: Check = False) -> None:
    """A page for the wall: queues, agents and alerts of this moment, the contacts behind each number.

    Runs until SIGTERM. docs/guide/wallboard.md shows the page and the file.

    Example: ringback wallboard --file wallboard.yaml
    """
    config = settings()
    wall = wall_config(file or config.wallboard_file)
    if check:
        return say_what_hangs(wall)
    doors = doors_of(config)
    reader = reader_of(config, wall, wall_ms)
    try:
        asyncio.run(serve_until_stopped(config, Wall(reader), doors))
    except OSError as error:
        at = f"{config.wallboard_host}:{config.wallboard_port}"
        fail(f"the wallboard cannot listen at {at}: {error.strerror or error}", UNREACHABLE)


def reader_of(config: Settings, wall: WallConfig, clock: Callable[[], int]) -> Reader:
    """What reads the wall, by these settings."""
    database = client(config)
    return Reader(
        database,
        rules_of(config),
        wall,
        ZoneInfo(config.timezone),
        clock,
        config.timezone_by_queue,
        partial(latest_changes, database, config.data_dir / LEDGER),
    )


def wall_config(path: Path | None) -> WallConfig:
    """What the file says; without one every queue hangs there. Ends the command where it makes no sense."""
    if path is None:
        return WallConfig()
    try:
        return load(path)
    except ConfigError as error:
        fail(f"{path}: {error}. docs/guide/wallboard.md has an example", WRONG_USE)


def say_what_hangs(wall: WallConfig) -> None:
    """The queues of the file with their targets."""
    for queue in wall.queues:
        given = wall.targets_of(queue.queue).model_dump(exclude_none=True)
        targets = ", ".join(f"{name} {value:g}" for name, value in given.items())
        out.print(f"{queue.name or queue.queue}: {targets or 'no targets'}", markup=False, highlight=False)
    out.print("then every other queue, by name" if wall.others else "no others", highlight=False)


def doors_of(config: WallboardSettings) -> Doors:
    """Who may look; ends the command where anybody on the network could."""
    found = tokens(config.wallboard_token, config.wallboard_token_file, "RINGBACK_WALLBOARD_TOKEN")
    if not found and not is_loopback(config.wallboard_host):
        fail(
            f"RINGBACK_WALLBOARD_HOST is {config.wallboard_host}, so others can see it: set "
            "RINGBACK_WALLBOARD_TOKEN or RINGBACK_WALLBOARD_TOKEN_FILE (`openssl rand -hex 32` makes one)",
            WRONG_USE,
        )
    return Doors(found)


async def serve_until_stopped(config: WallboardSettings, wall: Wall, doors: Doors) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = stop_event()
    async with running(wall, doors, config.wallboard_host, config.wallboard_port):
        port = config.metrics_port + WALLBOARD_PORT_OFFSET
        watched = await listen(observation(wall), config.metrics_host, port)
        mark(True)
        say_address(config)
        await stop.wait()
        mark(False)
        await watched.cleanup()


def say_address(config: WallboardSettings) -> None:
    """Where the page is."""
    ask = "/?token=..." if config.wallboard_token or config.wallboard_token_file else "/"
    host = f"[{config.wallboard_host}]" if ":" in config.wallboard_host else config.wallboard_host
    out.print(f"wallboard http://{host}:{config.wallboard_port}{ask}", highlight=False, soft_wrap=True)
