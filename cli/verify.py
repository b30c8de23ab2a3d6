"""`ringback verify`: is what the stream kept what SQL recomputes from raw events?"""

import asyncio
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.markup import escape
from rich.table import Table

from cli.clickhouse import client, short
from cli.console import NO, UNREACHABLE, Format, err, fail, out, print_json, settings, waiting
from cli.placing import wrongly_placed
from cli.printable import printable
from cli.settings import Settings, rules_of
from cli.times import span_ms
from reports.verification import Report, compare
from schemas.topics import RAW_TOPICS
from sinks.binding import mismatch
from sinks.connection import without_secret
from streams.health.group_lag import OffsetReader, StillWaiting, wait_until_stored
from streams.kafka.identity import identity

SHOWN = 20
SETTLE_S = 60.0
STORED = """SELECT (SELECT count() FROM events) + (SELECT count() FROM agent_events)
    + (SELECT count() FROM dead_letters)"""
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


def in_kafka(config: Settings) -> tuple[str, int] | None:
    """Which Kafka, and how much was sent; None where it does not say."""

    async def sent() -> int:
        async with OffsetReader(config.bootstrap_servers) as watch:
            return await watch.offsets_in(RAW_TOPICS)

    try:
        return identity(config.bootstrap_servers), asyncio.run(sent())
    except (KafkaError, OSError):
        return None


def require_something(connection: Client, config: Settings) -> None:
    """Raw events or dead letters are there, if anything was sent; otherwise nothing can be compared."""
    stored = int(connection.query(STORED).result_rows[0][0])
    kafka = in_kafka(config)
    wrong = mismatch(connection, kafka[0]) if kafka else None
    if wrong is not None:
        fail(f"not compared: {wrong}", UNREACHABLE)
    if not stored and (kafka is None or kafka[1]):
        has = f"has {kafka[1]:,}" if kafka else "does not answer"
        fail(
            f"nothing to compare: ClickHouse at {without_secret(config.clickhouse)} holds no event, and "
            f"Kafka at {config.bootstrap_servers} {has}. Was ClickHouse emptied, or is it another one? Set "
            "CLICKHOUSE_URL to the one that the sink writes to, or start a sink (`ringback up` or `ringback "
            "sink`), which writes everything anew",
            UNREACHABLE,
        )


def compared(connection: Client, config: Settings, span: tuple[int, int] | None) -> Report:
    """The report; where ClickHouse cannot make it the command ends with status 3: no difference was found."""
    try:
        require_something(connection, config)
        with waiting("recomputing from raw events"):
            return compare(connection, rules_of(config), span)
    except (ClickHouseError, OSError) as error:
        fail(
            f"not compared: ClickHouse cannot recompute ({short(error)}). Nothing is known of differences. "
            "If its memory does not suffice, compare less at once with --from and --to; if a table or column "
            "is missing, start a sink of this version; `ringback doctor` says what else may be wrong",
            UNREACHABLE,
        )


def verify(
    begin: Begin = None,
    end: End = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Compare the stream's tables with KPIs recomputed by SQL from raw events; status 1 if any differ.

    Status 3: they could not be compared, and the message says why.

    Example: ringback verify --from 1999-02-01 --to 1999-03-01
    """
    config = settings()
    if (begin is None) != (end is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    span = span_ms(begin, end, config.timezone) if begin and end else None
    connection = client(config)
    settle(config)
    report = compared(connection, config, span)
    causes = [] if report.agrees else likely_causes(config)
    if format is Format.json:
        print_json(document(report) | {"causes": causes})
    else:
        print_report(report)
        for cause in causes:
            out.print(escape(cause), highlight=False, soft_wrap=True)
    if not report.agrees:
        raise typer.Exit(NO)


def likely_causes(config: Settings) -> list[str]:
    """What may explain differences, and what to do about it."""
    try:
        astray = asyncio.run(wrongly_placed(config))
    except (KafkaError, OSError):
        return []
    if not astray:
        return []
    return [
        f"contacts in a wrong partition: {astray}. Set partitioner=murmur2_random in that producer, then run "
        "`ringback heal`"
    ]


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
