"""`ringback report`: the report of a month that a manager forwards."""

import re
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.clickhouse import client
from cli.console import WRONG_USE, fail, out, settings
from cli.kpi import answering, as_of_ms, warn_of_rules
from cli.settings import rules_of
from reports.monthly.page import page
from reports.monthly.pdf import pdf
from reports.monthly.report import HEADLINES, Report, monthly
from reports.monthly.workbook import workbook

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
TARGET = re.compile(r"([a-z_]+)=([\d.]+) ?(%|s)?")


class ReportFormat(StrEnum):
    """What the report is written as."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"


Month = Annotated[str, typer.Option(help="Month on the clock of the reporting time zone, e.g. 2026-10.")]
Output = Annotated[Path | None, typer.Option(help="File to write; default: ringback-<month>.<format>.")]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="What a KPI should be, e.g. service_level=80% or asa=20s; several times."),
]
Moment = Annotated[str | None, typer.Option(help="Moment by which numbers are judged final; default: now.")]


def month_of(text: str) -> date:
    """First day of a month. Raises typer.BadParameter."""
    found = MONTH.fullmatch(text)
    if not found or not 1990 <= int(found[1]) <= 2050:
        raise typer.BadParameter(f"--month {text!r} is no month; write 2026-10")
    return date(int(found[1]), int(found[2]), 1)


def target_of(text: str) -> tuple[str, float]:
    """KPI and target: percent as a share, seconds as ms. Raises typer.BadParameter."""
    found = TARGET.fullmatch(text)
    if not found or found[1] not in HEADLINES:
        raise typer.BadParameter(
            f"--target {text!r}: write service_level=80% or asa=20s, with one of {', '.join(HEADLINES)}"
        )
    try:
        number = float(found[2])
    except ValueError:
        raise typer.BadParameter(f"--target {text!r}: {found[2]} is no number") from None
    return found[1], number * {"%": 0.01, "s": 1000}.get(found[3] or "", 1)


def written(report: Report, format: ReportFormat) -> bytes:
    """The report as a file."""
    match format:
        case ReportFormat.html:
            return page(report).encode()
        case ReportFormat.pdf:
            return pdf(report)
        case ReportFormat.xlsx:
            return workbook(report)


def report(
    month: Month,
    format: Annotated[ReportFormat, typer.Option(help="html, pdf or xlsx.")] = ReportFormat.html,
    output: Output = None,
    target: Targets = None,
    as_of: Moment = None,
) -> None:
    """The KPIs of a month beside the month before and the targets, by queue and by day, as one file.

    Example: ringback report --month 2026-10 --target service_level=80% --target asa=20s
    """
    config = settings()
    first, targets = month_of(month), dict(map(target_of, target or ()))
    rules, moment = rules_of(config), as_of_ms(as_of, config.timezone)
    place = output or Path(f"ringback-{month}.{format.value}")
    with answering():
        connection = client(config)
        made = monthly(connection, first, config.timezone, rules, targets, moment)
        warn_of_rules(connection, rules)
    try:
        place.write_bytes(written(made, format))
    except OSError as error:
        fail(f"{place} cannot be written: {error.strerror}. Name another place by --output", WRONG_USE)
    out.print(str(place), markup=False, highlight=False, soft_wrap=True)
