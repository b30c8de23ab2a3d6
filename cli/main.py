"""The command `ringback`: one thin file per command, put together here."""

import sys

import typer
from rich.markup import escape

from cli import adapter, dead_letters, demo, doctor, explain, importing, kpi, simulate, up, verify, worker
from cli.console import UNREACHABLE, WRONG_USE, err
from deploy.local.errors import LocalStackError
from schemas.confluent import RegistryRefused
from sinks.writer import SinkRefused
from streams.kafka.topics import PartitionsChanged

app = typer.Typer(
    name="ringback",
    help="Contact-centre KPIs that never change their story: live, replayed and recomputed are one number.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("worker")(worker.worker)
app.command("sink")(worker.sink)
app.add_typer(importing.app, name="import")
app.add_typer(adapter.app, name="adapter")
app.command("simulate")(simulate.simulate)
app.command("kpi")(kpi.kpi)
app.command("explain")(explain.explain_command)
app.command("verify")(verify.verify)
app.add_typer(dead_letters.app, name="dead-letters")
app.command("doctor")(doctor.doctor)


def run() -> None:
    """Entry point: what a user can mend ends in one message and a status, never in a traceback."""
    try:
        app()
    except LocalStackError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(UNREACHABLE)
    except (SinkRefused, RegistryRefused) as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(UNREACHABLE)
    except PartitionsChanged as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(WRONG_USE)


if __name__ == "__main__":
    run()
