"""`ringback import`: events from files, a command for each source that reads them."""

import asyncio
import os
import stat
import sys
from functools import partial
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from adapters.kit.lines import STDIN
from adapters.kit.outcomes import WrongFile
from adapters.kit.source import Source
from adapters.registry import SOURCES
from adapters.sending.file_import import Interrupted, import_file
from adapters.sending.line_workers import Reader
from adapters.sending.producer import NotSent
from adapters.sending.progress_bar import ImportProgress
from cli.console import UNREACHABLE, WRONG_USE, Format, err, fail, settings
from cli.secrets import customer_secret
from cli.sending import merged, open_sender, print_counts, wait_stored
from cli.settings import Settings
from sinks.connection import connect

INTERRUPTED = 130
app = typer.Typer(help="Send a file's events; run again it counts nothing twice.", no_args_is_help=True)
Files = Annotated[list[str], typer.Argument(help="Files, gzip, zip or not; - is stdin.", metavar="FILE...")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all is applied and stored.")]
Keep = Annotated[
    bool,
    typer.Option(
        "--keep-payloads",
        help="Send refused lines as they are to the dead letters, where customers may stand in them. "
        "Default: their shapes only.",
    ),
]
As = Annotated[Format, typer.Option(help="text or json.")]


async def import_files(
    files: list[str], reader: Reader, wait: bool, keep: bool, apart: bool
) -> dict[str, int]:
    """Send the events of files one after the other; the counts.

    Duplicates are those within a file and, when waiting, those that ClickHouse had already: by how much less
    than was sent the number of stored events grew (another source that sends meanwhile hides some). That goes
    for events of contacts; those of agents and heartbeats are in no table of events.
    """
    config = settings()
    before = await asyncio.to_thread(stored_events, config) if wait else None
    async with await open_sender(config) as sender:
        results = [await import_file(name, reader, sender, ImportProgress(), keep, apart) for name in files]
    counts = merged(results)
    if wait:
        await wait_stored(config)
        after = await asyncio.to_thread(stored_events, config)
        if before is not None and after is not None:
            of_contacts = counts["sent"] - sum(result.beside for result in results)
            counts["duplicates"] += max(of_contacts - (after - before), 0)
    return counts


def stored_events(config: Settings) -> int | None:
    """Number of distinct events in ClickHouse; None if it cannot say, which must not stop an import."""
    try:
        found = connect(config.clickhouse).query("SELECT count() FROM events FINAL").result_rows
    except (ClickHouseError, OSError):
        return None
    return int(found[0][0])


def look_at(name: str) -> None:
    """Can it be a file to read? Ends the command where it cannot; raises OSError where it is not there."""
    if name == STDIN:
        if sys.stdin is None:
            fail("standard input is closed; name a file", WRONG_USE)
        return
    if stat.S_ISDIR(os.stat(name).st_mode):
        fail(f"{name} is a folder: name the files in it, such as {name.rstrip('/')}/*", WRONG_USE)
    if not os.access(name, os.R_OK):
        fail(f"cannot read {name}: you may not", WRONG_USE)


def run(source: Source, files: list[str], reader: Reader, wait: bool, format: Format, keep: bool) -> None:
    """Import, and turn what can go wrong into a message and a status."""
    try:
        for name in files:
            look_at(name)  # a mistyped name is said before Kafka is waited for and another file is sent
        counts = asyncio.run(import_files(source.in_order(files), reader, wait, keep, source.apart))
    except WrongFile as error:
        fail(str(error), WRONG_USE)
    except NotSent as error:
        fail(str(error), UNREACHABLE)
    except OSError as error:
        if error.filename is None:  # of a connection or the output, not of a file
            raise
        fail(f"cannot read {error.filename}: {error.strerror}", WRONG_USE)
    except Interrupted as error:
        err.print(str(error), highlight=False, markup=False)
        raise typer.Exit(INTERRUPTED) from None
    print_counts(counts, format)
    if counts["dead_letters"]:
        err.print("see `ringback dead-letters list` for what was refused and why", highlight=False)


def add_command(source: Source) -> None:
    """The command that imports files of a source; the source's modules are loaded when it is called."""

    def import_source(
        files: Files, wait: Wait = True, keep_payloads: Keep = False, format: As = Format.text
    ) -> None:
        reader = partial(source.load_series(), secret=customer_secret(settings()))
        run(source, files, reader, wait, format, keep_payloads)

    app.command(source.name, help=f"{source.summary}\n\nExample: {source.example}")(import_source)


for source in SOURCES:  # a webhook's reads recorded payloads
    add_command(source)
