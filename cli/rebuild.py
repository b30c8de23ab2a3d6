"""`ringback rebuild`: facts and windows made anew by SQL, and put in the place of what stands, at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.clickhouse import client, short
from cli.comparing import compared_rules, told_rules
from cli.console import UNREACHABLE, WRONG_USE, Format, err, fail, out, print_json, settings, waiting
from cli.placing import wrongly_placed
from cli.printable import printable
from cli.rebuild_list import listing
from cli.rebuilding import Asked, made, undone
from cli.replaying import SHOWN
from cli.replaying import line as change_line
from cli.settings import Settings, rules_of
from cli.times import span_ms
from maintenance.rebuild import ledger
from maintenance.rebuild.fence import NoFence
from maintenance.rebuild.ledger import NoSuchRebuild
from maintenance.rebuild.swap import finish
from reports.rebuilt import RebuildReport
from reports.rules_in_use import differing_rules
from sinks.writer import migrate
from streams.health.group_lag import StillWaiting

Begin = Annotated[str | None, typer.Option("--from", help="Begin of the windows to rebuild; default: all.")]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Queues = Annotated[list[str] | None, typer.Option("--queue", help="Only of this queue, also several.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
Memory = Annotated[int, typer.Option(min=200, help="What ClickHouse may use for it, in MB.")]
Undo = Annotated[str | None, typer.Option(metavar="ID", help="Take a rebuild back.")]
CompareRules = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Only say what the [rules] of another ringback.toml would change in which windows.",
    ),
]
List = Annotated[bool, typer.Option("--list", help="Show the rebuilds there were.")]


def rebuild(
    begin: Begin = None,
    end: End = None,
    queues: Queues = None,
    dry_run: DryRun = False,
    memory_mb: Memory = 1500,
    undo: Undo = None,
    list_: List = False,
    compare_rules: CompareRules = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Recompute facts and windows from raw events by SQL, and put what differs in place, all at once.

    The stream goes on and readers read meanwhile; a rebuild cut short leaves what stood. It says which
    windows change, by how much and by which events. --undo takes it back.

    Example: ringback rebuild --from 1999-02-01 --to 1999-03-01 --dry-run
    """
    config = settings()
    if (begin is None) != (end is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    others = (begin, queues, dry_run, compare_rules)
    if (undo and list_) or ((undo or list_) and any(others)):
        raise typer.BadParameter("--undo and --list stand alone: they know no --dry-run, time or queue")
    if compare_rules and queues:
        raise typer.BadParameter("--compare-rules looks at all queues: leave --queue out")
    span = span_ms(begin, end, config.timezone) if begin and end else None
    connection = client(config)
    with mended():
        migrate(connection)
        if list_:
            return listing(ledger.listed(connection), config.timezone, format)
        if compare_rules:
            with waiting("recomputing by both rules"):
                found = compared_rules(connection, config, compare_rules, span, memory_mb * 1_000_000)
            return told_rules(found, format)
        require_one_story(connection, config)
        for done in finish(connection):
            err.print(f"rebuild {done.id} had been cut short: it is {done.state} now", highlight=False)
        ledger.tidy(connection)
        if undo:
            return taken_back(undone(connection, config, undo), format)
        asked = Asked(span, tuple(queues or ()), dry_run, memory_mb * 1_000_000)
        with waiting("recomputing from raw events"):
            name, report = made(connection, config, asked)
        told(name, report, dry_run, format)


@contextmanager
def mended() -> Iterator[None]:
    """What can go wrong becomes a message and a status."""
    try:
        yield
    except NoSuchRebuild as error:
        fail(str(error), WRONG_USE)
    except (StillWaiting, NoFence) as error:
        fail(f"{error}. Nothing was changed. Do worker and sink run? See `ringback doctor`", UNREACHABLE)
    except KafkaError as error:
        fail(f"Kafka does not answer ({type(error).__name__}). Nothing was changed", UNREACHABLE)
    except ClickHouseError as error:
        fail(
            f"ClickHouse cannot do it ({short(error)}). Until rows are put in place nothing changes; run the "
            "command again. If its memory does not suffice, give it more by --memory-mb, or a shorter time",
            UNREACHABLE,
        )


def require_one_story(connection: Client, config: Settings) -> None:
    """Worker, sink and this command count by the same rules, and each contact is in its partition."""
    if config.partitioner != "murmur2":
        fail(
            "rows can only be told by partition where contacts lie as Kafka's Java client puts them: "
            "RINGBACK_PARTITIONER=any does not say where. Use `ringback replay` instead",
            WRONG_USE,
        )
    if differing := differing_rules(connection, rules_of(config)):
        fail(f"{'; '.join(differing)}. Give all parts the same settings and restart them", WRONG_USE)
    if astray := asyncio.run(wrongly_placed(config)):
        fail(f"contacts in a wrong partition: {astray}. Run `ringback heal` first", WRONG_USE)


def taken_back(made_again: dict[str, int], format: Format) -> None:
    """Say how many rows stand as before."""
    if format is Format.json:
        return print_json({"rows": made_again})
    out.print(f"{sum(made_again.values()):,} rows stand as they did; what the stream moved since is its own")


def told(name: str, report: RebuildReport, dry_run: bool, format: Format) -> None:
    """Say what has changed or would."""
    if format is Format.json:
        return print_json({"id": name, "in_place": not dry_run} | asdict(report))
    will = "would change" if dry_run else "changed"
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items() if count) or "none"
    out.print(f"{report.windows:,} windows {will}; rows: {rows}", highlight=False)
    for change in report.changes[:SHOWN]:
        out.print(printable(line(change)), highlight=False, markup=False, soft_wrap=True)
    if report.windows > SHOWN:
        out.print(f"... the rest with --format json ({len(report.changes):,} listed)")
    if dry_run or not report.changed:
        return
    out.print(f"in place; `ringback rebuild --undo {name}` takes it back", highlight=False)
    out.print(
        "The worker goes on from its own state. If it had counted this, and not ClickHouse lost it, let it "
        "count anew: restart it with a greater RINGBACK_EPOCH",
        highlight=False,
        soft_wrap=True,
    )


def line(change: dict[str, Any]) -> str:
    """A window that changes and what changes it, in a line."""
    events = ", ".join(f"{e['event_id']} of {e['contact_id']}" for e in change["events"])
    why = f"by {events}" if events else "no fact differs, the sum did"
    return f"{change_line(change)} ({why})"
