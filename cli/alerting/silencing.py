"""`ringback alerts silence`: nobody is told for a time; evaluated is all the same."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from alerts.shared_silences import SharedSilences
from alerts.silences import LONGEST_MS, Silences
from alerts.words import duration_ms
from cli.alerting.files import now_ms, open_ledger, shared_ledger
from cli.console import NO, WRONG_USE, Format, fail, out, print_json, settings
from cli.printable import printable
from cli.shown import local_minute
from reports.explain.reading import utc_text

app = typer.Typer(
    no_args_is_help=True,
    help="Silences: nobody is told of some alerts for a time.\n\nExample: ringback alerts silence list",
)


@contextmanager
def silences() -> Iterator[Silences | SharedSilences]:
    """Those of this data folder, whose ledger is made where there is none; or those of all evaluators."""
    config = settings()
    if config.alert_ledger != "kafka":
        yield Silences(open_ledger(config))
        return
    with shared_ledger(config):
        yield SharedSilences(config.bootstrap_servers)


def user() -> str:
    """Who calls; ends the command where the machine has no name for them, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fail("this machine does not know your name: say it with --author", WRONG_USE)


@app.command()
def add(
    matchers: Annotated[
        list[str], typer.Argument(help="label=value, all must match; alert is the rule's name.")
    ],
    last: Annotated[str, typer.Option("--for", help="How long, such as 90m or 2h.")],
    comment: Annotated[str, typer.Option(help="Why: those who look later will ask.")],
    author: Annotated[str | None, typer.Option(help="Who; default: you.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Longer than seven days.")] = False,
) -> None:
    """Tell nobody of alerts with these labels for a time. What still fires when it ends is told then.

    Example: ringback alerts silence add queue=sales --for 2h --comment "maintenance of the PBX"
    """
    pairs = [pair.partition("=") for pair in matchers]
    if any(not name or not sign for name, sign, _ in pairs):
        fail("write each matcher as label=value, such as queue=sales", WRONG_USE)
    try:
        length = duration_ms(last)
        if length > LONGEST_MS and not force:
            fail("longer than seven days: mend the rule instead, or say --force", WRONG_USE)
        now = now_ms()
        wanted = {name: value for name, _, value in pairs}
        author = author or user()
        with silences() as known:
            made = known.add(wanted, now, now + length, author, comment, now)
    except ValueError as error:
        fail(str(error), WRONG_USE)
    out.print(f"{made.id} until {utc_text(made.ends)}", highlight=False)


@app.command()
def expire(silence: Annotated[str, typer.Argument(help="Its id, as `list` shows it.")]) -> None:
    """End a silence now: what still fires is told within a minute.

    Example: ringback alerts silence expire 1f0c9a2e
    """
    with silences() as known:
        ended = known.expire(silence, now_ms())
    if not ended:
        fail(f"no silence {silence} lasts; `ringback alerts silence list` shows those that do", NO)
    out.print("ended")


@app.command("list")
def list_silences(
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Silences that last or will, the next to end first.

    Example: ringback alerts silence list
    """
    with silences() as known:
        found = known.all(now_ms())
    if format is Format.json:
        print_json(
            [asdict(each) | {"starts": utc_text(each.starts), "ends": utc_text(each.ends)} for each in found]
        )
        return
    table = Table("id", "until", "labels", "by", "why", box=None)
    for each in found:
        labels = " ".join(f"{name}={printable(value)}" for name, value in each.matchers.items())
        until = local_minute(utc_text(each.ends), settings().timezone)
        table.add_row(each.id, until, labels, printable(each.author), printable(each.comment))
    out.print(table if found else "no silences")
