"""`ringback kpi`: KPIs of a range of time."""

import csv
import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from cli.clickhouse import client
from cli.console import WRONG_USE, fail, out, print_json, settings
from cli.times import span_ms
from kpis.registry import KPIS
from kpis.rules import DEFAULT_RULES
from sinks.kpis import CannotAnswer, Question, answer
from sql.periods import EVERY

Begin = Annotated[str, typer.Option("--from", help="Begin, e.g. 1999-02-01 (in the reporting time zone).")]
End = Annotated[str, typer.Option("--to", help="End, not included.")]
Every = Annotated[str, typer.Option(help=f"Period: {', '.join(EVERY)}.")]
By = Annotated[str, typer.Option(help="Dimensions, comma separated: channel, queue, agent, team, reason.")]
Ids = Annotated[str, typer.Option("--kpi", help="KPI ids, comma separated; default: all.")]
Recompute = Annotated[bool, typer.Option("--from-oracle", help="Recompute from raw events by SQL.")]


class TableFormat(StrEnum):
    """How a table is printed."""

    text = "text"
    json = "json"
    csv = "csv"


def split(text: str) -> tuple[str, ...]:
    """Names in a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def kpi(
    begin: Begin,
    end: End,
    every: Every = "all",
    by: By = "",
    kpi: Ids = "",
    from_oracle: Recompute = False,
    format: Annotated[TableFormat, typer.Option(help="Output format.")] = TableFormat.text,
) -> None:
    """KPIs of [from, to): from the stream's tables, or with --from-oracle recomputed from raw events.

    Example: ringback kpi --from 1999-02-01 --to 1999-03-01 --by queue --kpi offered,service_level,asa
    """
    config = settings()
    if every not in EVERY:
        raise typer.BadParameter(f"--every is one of {', '.join(EVERY)}")
    span = span_ms(begin, end, config.timezone)
    question = Question(*span, every, split(by), split(kpi), from_oracle, config.timezone)
    try:
        rows = answer(client(config), question, DEFAULT_RULES)
    except CannotAnswer as error:
        fail(str(error), WRONG_USE)
    if format is TableFormat.json:
        print_json(rows)
    elif format is TableFormat.csv:
        print_csv(rows, question)
    else:
        print_text(rows, question)


def print_csv(rows: list[dict[str, Any]], question: Question) -> None:
    """A line per period, dimensions and KPI."""
    writer = csv.writer(sys.stdout)
    writer.writerow(
        ["window_start", "window_end", *question.by, "kpi", "value", "unit", "n", "num", "den", "final"]
    )
    for row in rows:
        head = [row["window_start"], row["window_end"], *(row[name] for name in question.by)]
        for name, v in row["kpis"].items():
            writer.writerow([*head, name, v["value"], v["unit"], v["n"], v["num"], v["den"], v["final"]])


def shown(value: dict[str, Any]) -> str:
    """A value for people: seconds with one decimal, percent with one, - for nothing counted."""
    number = value["value"]
    if number is None:
        return "-"
    if value["unit"] == "ms":
        return f"{number / 1000:,.1f} s"
    return f"{number * 100:.1f} %" if value["unit"] == "ratio" else f"{number:,}"


def local_minute(instant: str, zone: str) -> str:
    """Begin of a window in the reporting time zone."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def print_text(rows: list[dict[str, Any]], question: Question) -> None:
    """One KPI a line for a single row, else one row a line."""
    if not rows:
        out.print("no contacts in this range")
        return
    if len(rows) == 1:
        table = Table("KPI", "value", "n", "id", box=None)
        for name, value in rows[0]["kpis"].items():
            table.add_row(KPIS[name].name, shown(value), f"{value['n']:,}", name)
    else:
        names = list(rows[0]["kpis"])
        table = Table(box=None)
        for name in ("from", *question.by):
            table.add_column(name, no_wrap=True)
        for name in names:
            table.add_column(name, justify="right")
        for row in rows:
            cells = (shown(row["kpis"][name]) for name in names)
            dimensions = (escape(row[name] or "(none)") for name in question.by)
            table.add_row(local_minute(row["window_start"], question.zone), *dimensions, *cells)
    out.print(table)
