"""`ringback adapter`: which sources there are, and what a file of one would give. Nothing is sent."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.kit.check import Checked, check_exports, check_file, read_with
from adapters.kit.contract import events_of
from adapters.kit.event_lines import event_line
from adapters.kit.lines import STDIN
from adapters.kit.outcomes import WrongFile
from adapters.kit.payloads import read_payloads
from adapters.kit.source import Source
from adapters.mapping.document import BadMapping
from adapters.mapping.source import mapped
from adapters.mapping.watching import Watch
from adapters.registry import SOURCES, NoSuchSource, source_of
from adapters.sending.file_import import Interrupted, import_file
from adapters.sending.producer import Offsets
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.records import OutgoingRecord
from cli.adapter_fold import TOTALS, facts_of, fold_lines, totals
from cli.console import NO, WRONG_USE, Format, err, fail, out, print_json, settings
from cli.importing import INTERRUPTED
from cli.printable import json_printable, printable
from cli.secrets import customer_secret
from cli.sending import merged
from kpis.fold.events import fold
from schemas.codec import decode
from schemas.dead_letter import DeadLetter
from schemas.events import Event

KEPT_MAX = 100_000  # events that are folded after a try
SAID_MAX = 20  # refused lines that are named one by one
app = typer.Typer(help="Look into sources: list them, try or check a file of one.", no_args_is_help=True)
Name = Annotated[
    str,
    typer.Argument(help="A source, as in `ringback adapter list`, or a mapping's file.", metavar="NAME"),
]
Files = Annotated[list[str], typer.Argument(help="Files; of exports the oldest first.", metavar="FILE...")]
As = Annotated[Format, typer.Option(help="text or json.")]
Total = Annotated[
    list[str] | None,
    typer.Option(help="What the vendor reports of all files together, such as answered=120; several."),
]
MaxRefused = Annotated[float, typer.Option(help="Share of refused lines that is fine.", min=0, max=1)]


@app.command("list")
def list_sources(format: As = Format.text) -> None:
    """All sources: what each reads, and which events it gives.

    Example: ringback adapter list --format json
    """
    if format is Format.json:
        print_json([asdict(source) | {"page": source.page} for source in SOURCES])
        return
    table = Table("Name", "Reads", "Source", "Gives")
    for source in SOURCES:
        gives = ", ".join(type_.removeprefix("contact_") for type_ in source.gives)
        table.add_row(source.name, source.reads, escape(source.title), gives)
    out.print(table)


class PrintingSender:
    """Takes what an import would send: events go to stdout as JSON lines, refused lines to stderr."""

    def __init__(self, kept_max: int) -> None:
        self._refused, self._kept_max = 0, kept_max
        self.events: list[Event] = []

    async def send_canonical(self, record: OutgoingRecord) -> None:
        """Print an event."""
        event = decode(record.value)
        if len(self.events) < self._kept_max:
            self.events.append(event)
        sys.stdout.buffer.write(json_printable(event_line(event)))

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Say which line is refused and why."""
        self._refused += 1
        if self._refused <= SAID_MAX:
            said = f"line {refused.position}: {refused.reason}: {refused.detail}"
            err.print(printable(said), highlight=False, markup=False, soft_wrap=True)

    async def flush(self) -> Offsets:
        """Nothing was sent that could be waited for."""
        sys.stdout.buffer.flush()
        if self._refused > SAID_MAX:
            err.print(f"... and {self._refused - SAID_MAX} more lines refused", highlight=False)
        return {}


@contextmanager
def mended() -> Iterator[None]:
    """What a user can mend ends the command in one message and a status."""
    try:
        yield
    except (NoSuchSource, WrongFile, BadMapping) as error:
        fail(str(error), WRONG_USE)
    except OSError as error:
        if error.filename is None:  # stdout is closed: that is no fault of the file
            raise
        fail(f"cannot read {error.filename}: {error.strerror}", WRONG_USE)
    except Interrupted:
        raise typer.Exit(INTERRUPTED) from None


@app.command("try")
def try_file(name: Name, files: Files) -> None:
    """Print the events that files would give, one JSON object a line. Nothing is sent, no Kafka is needed.

    Refused lines and counts are on stderr; of a mapping, whose file may be named in place of NAME, also what
    the events come to, and the paths in it that found nothing.

    Example: ringback adapter try mappings/acme.yaml recorded.jsonl
    """
    with mended():
        source = source_of(name)
        watch = Watch(mapped(source.mapping)) if source.mapping else None
        read = partial(read_payloads, watch.adapter) if watch else source.load_series()
        reader = partial(read, secret=customer_secret(settings(), least=1))
        quiet = ImportProgress(Console(stderr=True, force_terminal=False))
        sender = PrintingSender(KEPT_MAX if watch else 0)
        results = [asyncio.run(import_file(file, reader, sender, quiet)) for file in source.in_order(files)]
    if watch:
        never = [f"never matched: {path}" for path in watch.never_matched()]
        for text in (*fold_lines(facts_of(sender.events)), *never):
            err.print(printable(text), highlight=False, markup=False, soft_wrap=True)
    counts = merged(results)
    said = ", ".join(f"{what.replace('_', ' ')} {count:,}" for what, count in counts.items())
    err.print(said.replace("sent", "events", 1), highlight=False, soft_wrap=True)


def wanted(given: Sequence[str]) -> dict[str, int]:
    """The vendor's totals: NAME=NUMBER. Ends the command where one is none."""
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in TOTALS or not number.isdecimal():
            fail(f"--total {text}: NAME=NUMBER is expected, NAME one of {', '.join(TOTALS)}", WRONG_USE)
        found[name] = int(number)
    return found


def reconciled(source: Source, files: Sequence[str], expected: dict[str, int]) -> Checked:
    """Do all files together come to what the vendor reports?"""
    secret = customer_secret(settings(), least=1)
    reader = source.load_series()
    events = [
        event
        for file in source.in_order(files)
        for event in events_of(read_with(reader, file, secret).outcomes)
    ]
    found = totals(facts_of(events).values())
    wrong = [
        f"{name}: the vendor says {number:,}, the events come to {found[name]:,}"
        for name, number in expected.items()
        if found[name] != number
    ]
    return Checked("the vendor's totals", wrong)


def checks(
    source: Source, files: Sequence[str], max_refused: float, expected: dict[str, int]
) -> Iterator[tuple[str, list[Checked]]]:
    """What is checked of each file, then of the files as exports one after the other."""
    if STDIN in files:
        fail("standard input can be read only once; name a file", WRONG_USE)
    secret = customer_secret(settings(), least=1)
    for file in files:
        yield file, check_file(source, file, secret, fold, max_refused)
    if source.snapshot and len(files) > 1:
        yield "all exports, the oldest first", check_exports(source, files, secret)
    if expected:
        yield "all files", [reconciled(source, files, expected)]


def say(line: str) -> None:
    """One line of the answer; names of files and contacts may hold brackets."""
    out.print(printable(line), highlight=False, markup=False, soft_wrap=True)


@app.command("check")
def check(name: Name, files: Files, max_refused: MaxRefused = 0.01, total: Total = None) -> None:
    """Hold files of yours against what every source must keep; status 1 if something is not kept.

    Each file is read several times and kept in memory. Nothing is sent, no Kafka is needed.

    Example: ringback adapter check servicenow january.csv february.csv
    """
    broken = 0
    with mended():
        for title, found in checks(source_of(name), files, max_refused, wanted(total or ())):
            say(title)
            for checked in found:
                broken += bool(checked.wrong)
                say(f"  {'no' if checked.wrong else 'ok'}  {checked.promise}")
                for sentence in checked.wrong:
                    say(f"      {sentence}")
    if broken:
        raise typer.Exit(NO)
