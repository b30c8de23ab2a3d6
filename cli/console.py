"""What all commands share: exit statuses, errors without traceback, logs to stderr, JSON to stdout."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn

import orjson
import stamina
import structlog
import typer
from pydantic import ValidationError
from rich.markup import escape

from adapters.kit.options import use
from cli.printable import SafeConsole, json_printable, log_values
from cli.wallboard_settings import WallboardSettings

DONE, NO, WRONG_USE, UNREACHABLE = 0, 1, 2, 3


class Format(StrEnum):
    """How an answer is printed."""

    text = "text"
    json = "json"


out = SafeConsole()
err = SafeConsole(stderr=True)


def fail(message: str, status: int) -> NoReturn:
    """Say what is wrong on stderr and leave with a status."""
    err.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(status)


@cache
def settings() -> WallboardSettings:
    """The settings of this process; wrong ones end it with status 2 and name the variable."""
    try:
        loaded = WallboardSettings()
    except ValidationError as error:
        wrong = "; ".join(
            "".join(f"{name}: " for name in item["loc"][:1]) + item["msg"].removeprefix("Value error, ")
            for item in error.errors(include_url=False)
        )
        fail(f"settings: {wrong}. docs/reference/settings.md lists them all", WRONG_USE)
    configure_logs(loaded.log_level)
    use(loaded.source_options)
    return loaded


def configure_logs(level: str) -> None:
    """Structured logs on stderr, one line each: for people on a terminal, as logfmt elsewhere."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    person = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if person
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    # The driver logs a traceback for every attempt at an absent server; we say it ourselves, in one line.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks([])  # we say once what is waited for, not every attempt
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            log_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def print_json(document: Any) -> None:
    """One JSON document on stdout and nothing else there."""
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.buffer.write(json_printable(data))
    sys.stdout.buffer.flush()


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """A spinner on a terminal while something takes its time; nothing elsewhere."""
    if err.is_terminal:
        with err.status(message):
            yield
    else:
        yield
