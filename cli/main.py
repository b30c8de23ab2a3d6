"""The command `ringback`: a table of its commands, each of which is loaded only when it is called."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.std_streams import flush, mend_streams

# Name -> where it is, and the first line of its help (a test compares). To import all of them takes a second.
COMMANDS = {
    "demo": (
        "cli.demo:demo",
        "Local stack, a simulated contact centre, its wallboard, an alert, then verify and a clean stop.",
    ),
    "up": (
        "cli.up:up",
        'Run Kafka, ClickHouse, workers, sink and alerts until Ctrl-C; prints "ready" when events can flow.',
    ),
    "worker": (
        "cli.worker:worker",
        "Run one stream worker until SIGTERM: events to facts, KPI windows and quarters.",
    ),
    "sink": (
        "cli.sink:sink",
        "Run one sink until SIGTERM: events, facts, windows and dead letters to ClickHouse.",
    ),
    "gateway": (
        "cli.gateway:gateway",
        "Run the gateway until SIGTERM: events of any program and webhooks of sources, over HTTP to Kafka.",
    ),
    "import": ("cli.importing:app", "Send a file's events; run again it counts nothing twice."),
    "follow": (
        "cli.follow:follow",
        "Send the events of a log while it is written, across rotations and restarts.",
    ),
    "listen": (
        "cli.listen:listen",
        "Send the events that a system tells over a connection, connecting again whenever it is lost.",
    ),
    "adapter": ("cli.adapter:app", "Look into sources: list them, try or check a file of one."),
    "simulate": (
        "cli.simulate:simulate",
        "Send a simulated contact centre: duplicates, late and out-of-order events included.",
    ),
    "kpi": (
        "cli.kpi:kpi",
        "KPIs of [from, to): from the stream's tables, or with --from-oracle recomputed from raw events.",
    ),
    "report": (
        "cli.report:report",
        "The KPIs of a month beside the month before and the targets, by queue and by day, as one file.",
    ),
    "explain": (
        "cli.explain:explain_command",
        "The contacts in numerator and denominator of a KPI, with the events that put them there.",
    ),
    "alerts": ("cli.alerts:app", "Rules for KPI dips: check them, try them on history, run them."),
    "wallboard": (
        "cli.wallboard:wallboard",
        "A page for the wall: queues, agents and alerts of this moment, the contacts behind each number.",
    ),
    "verify": (
        "cli.verify:verify",
        "Compare the stream's tables with KPIs recomputed by SQL from raw events; status 1 if any differ.",
    ),
    "export": (
        "cli.export:app",
        "Write events to Avro container files or Parquet; done again it writes what changed.",
    ),
    "replay": (
        "cli.replay:app",
        "Send kept events into the pipeline again: nothing is counted twice, nobody is paged.",
    ),
    "rebuild": (
        "cli.rebuild:rebuild",
        "Recompute facts and windows from raw events by SQL, and put what differs in place, all at once.",
    ),
    "restore": (
        "cli.restore:app",
        "Fill a Kafka or a ClickHouse that was lost again, from the other one or from exported files.",
    ),
    "forget": (
        "cli.forget:forget_command",
        "Forget customers: their key goes out of everything, for good, and no number changes.",
    ),
    "dead-letters": ("cli.dead_letters:app", "Unreadable and illegal input: list, show, send again, close."),
    "heal": (
        "cli.heal:heal",
        "Bring contacts together that a producer with another partitioner has split.",
    ),
    "doctor": (
        "cli.doctor:doctor",
        "What is reachable, versions, lag, settings, and what to do about what is wrong.",
    ),
}
# What a user can mend, by the class that says it, and the exit status (cli.console has their names).
WRONG_USE, UNREACHABLE = 2, 3
ENDINGS = {
    "builtins:OSError": UNREACHABLE,
    "clickhouse_connect.driver.exceptions:ClickHouseError": UNREACHABLE,
    "streams.kafka.connecting:KafkaRefuses": WRONG_USE,
    "aiokafka.errors:KafkaError": UNREACHABLE,
    "deploy.local.errors:LocalStackError": UNREACHABLE,
    "sinks.writer:SinkRefused": UNREACHABLE,
    "schemas.confluent:RegistryRefused": UNREACHABLE,
    "streams.kafka.topics:PartitionsChanged": WRONG_USE,
}


@contextmanager
def dying_of_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends the process at once.

    While modules load there is nothing to put in order, and some make another error of a KeyboardInterrupt.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def load(name: str) -> Any:
    """A command of the table, imported."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    with dying_of_ctrl_c():
        found: Any = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="rich")
        found.command(name)(function)
    command = typer.main.get_command(found)
    command.name = name
    return command


class Commands(TyperGroup):
    """The commands of the table; for the list of all of them one line each is enough.

    Contexts, formatters and commands are of typer's own copy of click, which is private: no types here.
    """

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1]) if self._listing else load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The list of commands, without loading them."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


app = typer.Typer(
    name="ringback",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def say_version(asked: bool) -> None:
    """Print which Ringback this is, and end. What tells it is loaded here alone: 20 ms."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"ringback {version('ringback')}")
        raise typer.Exit


@app.callback()
def ringback(
    _version: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Contact-centre KPIs that never change their story: live, replayed and recomputed are one number."""


def status_of(error: Exception) -> int | None:
    """Exit status of what a user can mend; None for what is a fault of ours."""
    kinds = {f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__}
    return next((status for name, status in ENDINGS.items() if name in kinds), None)


def message_of(error: Exception) -> str:
    """An error in words: those of the system without their number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error).strip() or type(error).__name__
    if error.filename is None:
        return f"{error.strerror}: what was to be printed or sent could not be"
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def run() -> None:
    """Entry point: what a user can mend ends in one message and a status, never in a traceback."""
    mend_streams()
    try:
        try:
            app()
        finally:
            flush()
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        from rich.markup import escape

        from cli.console import err

        err.print(f"[bold red]error:[/] {escape(message_of(error))}", highlight=False, soft_wrap=True)
        sys.exit(status)


if __name__ == "__main__":
    run()
