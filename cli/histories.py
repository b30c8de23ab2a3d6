"""Options that say which part of a history is read, shared by `replay` and `export`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import brokers
from cli.console import WRONG_USE, fail
from cli.importing import look_at
from cli.secrets import customer_secret
from cli.settings import Settings
from cli.times import span_ms
from maintenance.archive import MANIFEST
from maintenance.files import FileHistory
from maintenance.history import ALWAYS, Span
from maintenance.topic import TOPICS, Asked, Part, no_events_in


def checked(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """A check of a setting, for an option that stands in its place."""

    def callback(value: str | None) -> str | None:
        try:
            return check(value) if value is not None else None
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return callback


PART = re.compile(r"(\d+)(?::(\d*)-(\d*))?")
Begin = Annotated[str | None, typer.Option("--from", help="Only what happened from then on.")]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]
SentFrom = Annotated[str | None, typer.Option(help="Only records that were sent to Kafka from then on.")]
SentTo = Annotated[str | None, typer.Option(help="End, not included.")]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", help=f"Topic to read, also several. Default: {', '.join(TOPICS)}."),
]
Offsets = Annotated[
    list[str] | None,
    typer.Option(help="Partition and offsets to read, such as 0:100-200, 3:5000- or 2; also several."),
]
Brokers = Annotated[
    str | None,
    typer.Option(
        callback=checked(brokers),
        help="Brokers of another Kafka to read from. Default: KAFKA_BOOTSTRAP_SERVERS.",
    ),
]


def file_history(paths: list[Path], span: Span, config: Settings) -> FileHistory:
    """The history in files; ends the command where one cannot be read."""
    paths = [path for path in paths if path.name != MANIFEST]  # `history/*` names what export keeps beside
    if not paths:
        fail(f"{MANIFEST} tells what exported files hold: name these files", WRONG_USE)
    try:
        for path in paths:
            look_at(str(path))
    except OSError as error:
        fail(f"cannot read {error.filename}: {error.strerror}", WRONG_USE)
    return FileHistory(tuple(paths), customer_secret(config), span)


def span_of(begin: str | None, end: str | None, config: Settings) -> Span:
    """When events happened. Raises typer.BadParameter."""
    found = both_or_neither("--from", begin, "--to", end, config)
    return Span(*found) if found else ALWAYS


def both_or_neither(
    first: str, begin: str | None, second: str, end: str | None, config: Settings
) -> tuple[int, int] | None:
    """[from, to) in UTC ms. Raises typer.BadParameter."""
    if (begin is None) != (end is None):
        raise typer.BadParameter(f"give both {first} and {second}, or neither")
    return span_ms(begin, end, config.timezone) if begin and end else None


def asked_of(
    topics: list[str] | None,
    offsets: list[str] | None,
    sent_from: str | None,
    sent_to: str | None,
    config: Settings,
) -> Asked:
    """Which part of topics. Raises typer.BadParameter."""
    for why in filter(None, map(no_events_in, topics or ())):
        raise typer.BadParameter(why)
    sent = both_or_neither("--sent-from", sent_from, "--sent-to", sent_to, config)
    parts = tuple(part_of(text) for text in offsets or ())
    if parts and len(topics or ()) != 1:
        raise typer.BadParameter("offsets are those of one topic: name it by --topic")
    return Asked(tuple(topics or TOPICS), parts, sent)


def part_of(text: str) -> Part:
    """Offsets as they are typed. Raises typer.BadParameter."""
    found = PART.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r}: write a partition and its offsets, such as 0:100-200, 3:5000- or 2"
        )
    begin, end = int(found[2] or 0), int(found[3]) if found[3] else None
    if end is not None and begin >= end:
        raise typer.BadParameter(f"{text!r} is empty: the end is not included")
    return Part(int(found[1]), begin, end)
