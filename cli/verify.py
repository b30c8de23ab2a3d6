"""`ringback verify`: is what the stream kept what SQL recomputes from raw events?"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
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
from cli.verifying import Gauges, again_and_again, duration_ms, last
from reports.confirmed import confirmed, with_contacts
from reports.rules_in_use import differing_rules
from reports.verification import Report, compare
from schemas.topics import RAW_TOPICS
from sinks.binding import mismatch
from sinks.connection import without_secret
from streams.health import ready_file
from streams.health.group_lag import OffsetReader, StillWaiting, wait_until_stored
from streams.kafka.identity import identity

SHOWN = 20
SETTLE_S = 60.0
STORED = """SELECT (SELECT count() FROM events) + (SELECT count() FROM agent_events)
    + (SELECT count() FROM dead_letters)"""
Begin = Annotated[str | None, typer.Option("--from", help="Begin of the windows to compare; default: all.")]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Last = Annotated[str | None, typer.Option("--last", help="Only the last so much, such as 1d or 1w.")]
Every = Annotated[str | None, typer.Option(help="Again every so often, such as 1h, until it is stopped.")]


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
    last_: Last = None,
    every: Every = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Compare the stream's tables with KPIs recomputed by SQL from raw events; status 1 if any differ.

    Status 3: they could not be compared, and the message says why. With --last or --every what differs while
    events flow is looked at again, and is no difference unless it stays one. --every goes on until it is
    stopped, shows metrics, and ends with status 1 if there ever was a difference.

    Example: ringback verify --last 1d --every 1h
    """
    config = settings()
    if (begin is None) != (end is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    if begin and last_:
        raise typer.BadParameter("give --last, or --from and --to")
    span = span_ms(begin, end, config.timezone) if begin and end else None
    every_ms = duration_ms(every) if every else 0
    if last_:
        last(last_, 0)  # a mistake is said before anything is waited for

    def once() -> Report:
        within = last(last_, time.time_ns() // 1_000_000) if last_ else span
        return looked_at(config, within, live=bool(last_ or every))

    def tell(report: Report) -> None:
        told(report, format)

    if every_ms:
        agrees = scheduled(config, every_ms, once, tell)
    else:
        report = once()
        tell(report)
        agrees = report.agrees
    if not agrees:
        raise typer.Exit(NO)


def looked_at(config: Settings, span: tuple[int, int] | None, live: bool) -> Report:
    """A comparison; on live data what differs is looked at again."""
    connection = client(config)

    def look() -> Report:
        settle(config)
        return compared(connection, config, span)

    report = confirmed(look) if live else look()
    return report if report.agrees else with_contacts(connection, report)


def scheduled(
    config: Settings, every_ms: int, once: Callable[[], Report], tell: Callable[[Report], None]
) -> bool:
    """Compare until SIGTERM or Ctrl-C; True if there was no difference."""
    stop, gauges = threading.Event(), Gauges()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = gauges.serve(config)
    ready_file.mark(True)
    try:
        return again_and_again(every_ms, once, tell, gauges, stop)
    finally:
        if server is not None:
            server.shutdown()


def told(report: Report, format: Format) -> None:
    """Print a report."""
    config = settings()
    causes = [*other_rules(client(config), config), *([] if report.agrees else placed_wrongly(config))]
    if format is Format.json:
        print_json(document(report) | {"causes": causes})
    else:
        print_report(report)
        for cause in causes:
            out.print(printable(cause), highlight=False, markup=False, soft_wrap=True)


def other_rules(connection: Client, config: Settings) -> list[str]:
    """Who counts by other rules than those that were recomputed by, and what to do about it."""
    try:
        differing = differing_rules(connection, rules_of(config))
    except (ClickHouseError, OSError):
        return []
    return [f"{said}. Give all parts the same settings and restart them" for said in differing]


def placed_wrongly(config: Settings) -> list[str]:
    """Contacts in a wrong partition, and what to do about it."""
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
        out.print(printable(line(difference)), highlight=False, markup=False, soft_wrap=True)
    if len(report.differences) > SHOWN:
        out.print(f"... the rest with --format json ({len(report.differences):,} listed)")


def line(difference: dict[str, Any]) -> str:
    """One difference in a line."""
    if "fact" in difference:
        columns = ", ".join(f"{c['column']}: {c['stream']} / {c['oracle']}" for c in difference["columns"])
        return f"{difference['fact']} {difference['key']} rows {difference['rows']} {columns}"
    where = "/".join(map(str, difference["dimensions"].values()))
    contacts = difference.get("contacts")
    whose = f" (contacts {', '.join(contacts)})" if contacts else ""
    return (
        f"{difference['window_start']} {where} {difference['measure']}: "
        f"stream {difference['stream']}, oracle {difference['oracle']}{whose}"
    )
