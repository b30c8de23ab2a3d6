"""`ringback verify`: is what the stream kept what SQL recomputes from raw events?"""

import asyncio
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.markup import escape
from rich.table import Table

from cli.clickhouse import client
from cli.console import NO, Format, err, out, print_json, settings, waiting
from cli.kpi import answering
from cli.printable import printable
from cli.settings import Settings, rules_of
from cli.times import span_ms
from reports.verification import Report, compare
from streams.health.group_lag import StillWaiting, wait_until_stored

SHOWN = 20
SETTLE_S = 60.0
Begin = Annotated[str | None, typer.Option("--from", help="Begin of the windows to compare; default: all.")]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]


def settle(config: Settings) -> None:
    """Wait until all that is in Kafka is stored: in mid-flow the two sides differ by what is under way."""
    try:
        with waiting("waiting until everything sent is applied and stored"):
            asyncio.run(wait_until_stored(config.bootstrap_servers, lambda _: None, SETTLE_S))
    except (StillWaiting, KafkaError, OSError) as error:
        err.print(
            f"[yellow]note:[/] comparing what ClickHouse holds now: {escape(str(error))}",
            highlight=False,
            soft_wrap=True,
        )


def verify(
    begin: Begin = None,
    end: End = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Compare the stream's tables with KPIs recomputed by SQL from raw events; status 1 if any differ.

    Example: ringback verify --from 1999-02-01 --to 1999-03-01
    """
    config = settings()
    if (begin is None) != (end is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    span = span_ms(begin, end, config.timezone) if begin and end else None
    connection = client(config)
    settle(config)
    with waiting("recomputing from raw events"), answering():
        report = compare(connection, rules_of(config), span)
    if format is Format.json:
        print_json(document(report))
    else:
        print_report(report)
    if not report.agrees:
        raise typer.Exit(NO)


def document(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "windows": report.windows,
        "values": report.values,
        "facts": report.facts,
        "differing": report.differing,
        "differences": report.differences,
    }


def print_report(report: Report) -> None:
    """What agrees, and the first differences."""
    table = Table("compared", "number", box=None)
    table.add_row("windows (minute, channel, queue)", f"{report.windows:,}")
    table.add_row("values in them", f"{report.values:,}")
    for name, count in report.facts.items():
        table.add_row(name, f"{count:,}")
    out.print(table)
    if report.agrees:
        out.print("[bold green]0 differences[/]: the stream's numbers are those recomputed from raw events")
        return
    out.print(f"[bold red]{report.differing:,} differences[/]")
    for difference in report.differences[:SHOWN]:
        out.print(printable(line(difference)), highlight=False, markup=False)
    if len(report.differences) > SHOWN:
        out.print(f"... the rest with --format json ({len(report.differences):,} listed)")


def line(difference: dict[str, Any]) -> str:
    """One difference in a line."""
    if "fact" in difference:
        columns = ", ".join(f"{c['column']}: {c['stream']} / {c['oracle']}" for c in difference["columns"])
        return f"{difference['fact']} {difference['key']} rows {difference['rows']} {columns}"
    where = "/".join(map(str, difference["dimensions"].values()))
    return (
        f"{difference['window_start']} {where} {difference['measure']}: "
        f"stream {difference['stream']}, oracle {difference['oracle']}"
    )
