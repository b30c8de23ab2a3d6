"""`ringback kpi`: KPIs of a range of time."""

import csv
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.markup import escape
from rich.text import Text

from cli import kpi_text
from cli.clickhouse import client, short
from cli.console import UNREACHABLE, WRONG_USE, err, fail, out, print_json, settings
from cli.kpi_list import list_kpis
from cli.kpi_plot import plots
from cli.printable import csv_cell, printable
from cli.settings import rules_of
from cli.times import instant_ms, span_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from reports.explain.explanation import NoExplanation
from reports.kpi.answer import CannotAnswer, Question
from reports.kpi.zones import answer_by_zone
from reports.rules_in_use import differing_rules
from schemas.time_units import MINUTE_MS
from sql.periods import EVERY

Begin = Annotated[str, typer.Option("--from", help="Begin, e.g. 1999-02-01 (in the reporting time zone).")]
End = Annotated[str, typer.Option("--to", help="End, not included.")]
Every = Annotated[str, typer.Option(help=f"Period: {', '.join(EVERY)}.")]
By = Annotated[
    str,
    typer.Option(
        help="Dimensions, comma separated: channel, queue, agent, team, reason, or your own such as brand."
    ),
]
Ids = Annotated[str, typer.Option("--kpi", help="KPI ids, comma separated; default: all but variants.")]
Variants = Annotated[bool, typer.Option("--variants", help="All KPIs with their variants.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="Moment of what is live, and by which repeat contacts are judged final; default: now."),
]
Listing = Annotated[bool, typer.Option("--list", help="What each KPI is and comes from; asks nothing.")]
Plot = Annotated[bool, typer.Option("--plot", help="Draw small charts above the table (text only).")]
Recompute = Annotated[bool, typer.Option("--from-oracle", help="Recompute from raw events by SQL.")]


class TableFormat(StrEnum):
    """How a table is printed."""

    text = "text"
    json = "json"
    csv = "csv"


def split(text: str) -> tuple[str, ...]:
    """Names in a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def as_of_ms(text: str | None, zone: str) -> int:
    """The moment asked for; else this one, down to a whole minute. The clock is read nowhere else."""
    if text is not None:
        return instant_ms(text, zone)
    now = int(time.time() * 1000)
    return now - now % MINUTE_MS


@contextmanager
def answering() -> Iterator[None]:
    """What keeps a question from being answered ends the command with a message, never in a traceback."""
    try:
        yield
    except (CannotAnswer, NoExplanation) as error:
        fail(str(error), WRONG_USE)
    except (ClickHouseError, OSError) as error:
        fail(
            f"ClickHouse cannot answer: {short(error)}. If a table or column is missing, start a sink of "
            "this version (`ringback up` or `ringback sink`): it brings the tables up to date. "
            "`ringback doctor` says what else may be wrong",
            UNREACHABLE,
        )


def kpi(
    begin: Begin = "",
    end: End = "",
    every: Every = "all",
    by: By = "",
    kpi: Ids = "",
    variants: Variants = False,
    as_of: AsOf = None,
    from_oracle: Recompute = False,
    listing: Listing = False,
    plot: Plot = False,
    format: Annotated[TableFormat, typer.Option(help="Output format.")] = TableFormat.text,
) -> None:
    """KPIs of [from, to): from the stream's tables, or with --from-oracle recomputed from raw events.

    Example: ringback kpi --from 1999-02-01 --to 1999-03-01 --by queue --kpi offered,service_level,asa
    """
    config = settings()
    if listing:
        return list_kpis(config, split(kpi), variants, format.value)
    if not begin or not end:
        raise typer.BadParameter("--from and --to are missing; or ask what KPIs there are by --list")
    if every not in EVERY:
        raise typer.BadParameter(f"--every is one of {', '.join(EVERY)}")
    span = span_ms(begin, end, config.timezone)
    moment = as_of_ms(as_of, config.timezone)
    question = Question(*span, every, split(by), split(kpi), from_oracle, config.timezone, moment, variants)
    rules = rules_of(config)
    with answering():
        connection = client(config)
        zones = config.timezone_by_queue
        rows = answer_by_zone(connection, question, rules, zones, partial(span_ms, begin, end))
        warn_of_rules(connection, rules)
    if format is TableFormat.json:
        print_json(rows)
    elif format is TableFormat.csv:
        print_csv(rows, question)
    else:
        print_text(rows, question, every_kpi(rules), plot)


def print_text(
    rows: list[dict[str, Any]], question: Question, known: Mapping[str, Kpi], plot: bool = False
) -> None:
    """A list or table for people, or small charts and what they are made of."""
    if plot and rows:
        out.print(Text("\n".join(plots(rows, question))), soft_wrap=True)
    kpi_text.print_text(out, rows, question, known)


def warn_of_rules(connection: Client, rules: Rules) -> None:
    """Say on stderr where worker or sink count by other rules than those of this command."""
    for said in differing_rules(connection, rules):
        err.print(
            f"[yellow]note:[/] {escape(said)}. Give all parts the same settings and restart them",
            highlight=False,
            soft_wrap=True,
        )


def print_csv(rows: list[dict[str, Any]], question: Question) -> None:
    """A line per period, dimensions and KPI; what a spreadsheet would run has an apostrophe in front."""
    writer = csv.writer(sys.stdout)
    writer.writerow(
        ["window_start", "window_end", *question.by, "kpi", "value", "unit", "n", "num", "den", "final"]
    )
    for row in rows:
        head = [row["window_start"], row["window_end"], *(row[name] for name in question.by)]
        if sys.stdout.isatty():
            head = [printable(cell) for cell in head]
        for name, v in row["kpis"].items():
            cells = [*head, name, v["value"], v["unit"], v["n"], v["num"], v["den"], v["final"]]
            writer.writerow([csv_cell(cell) for cell in cells])
