"""`ringback alerts backtest`: rules over history."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts.backtest import Backtest
from alerts.backtest import backtest as backtest_of
from alerts.episodes import Episode
from alerts.label_sets import label_set_counts
from alerts.picture import picture
from alerts.verification import beside as beside_live
from cli.alerting.beside import document_of, print_beside
from cli.alerting.estimated import estimated
from cli.alerting.files import Rules as File
from cli.alerting.files import now_ms, rules_in
from cli.alerting.listing import labels_shown, until_shown
from cli.alerting.queries import left_out
from cli.clickhouse import client
from cli.console import WRONG_USE, Format, fail, out, print_json, settings
from cli.kpi import answering
from cli.settings import rules_of
from cli.shown import local_minute
from cli.times import span_ms
from cli.verifying import last
from kpis.catalogue.every_kpi import every_kpi
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

TIMES = ("began_at", "fired_at", "ended_at")
DRAWN = 40


class Known(StrEnum):
    """By which numbers."""

    then = "then"
    now = "now"


Begin = Annotated[
    str | None, typer.Option("--from", help="Begin, e.g. 1999-02-01 (in the reporting time zone).")
]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Since = Annotated[
    str | None, typer.Option(help="The last so much, such as 7d or 8w, in place of --from and --to.")
]
By = Annotated[
    Known,
    typer.Option(
        "--known", help="then: by what was known at each moment, as live decides; now: by all of it."
    ),
]
Compared = Annotated[
    bool,
    typer.Option(
        "--beside", help="Beside what was decided live: what these rules say more, and what they do not say."
    ),
]
Svg = Annotated[Path | None, typer.Option(help="Draw KPI, threshold and episodes into this file.")]


def backtest(
    begin: Begin = None,
    end: End = None,
    since: Since = None,
    rules: File = None,
    known: By = Known.then,
    beside: Compared = False,
    svg: Svg = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """What would have paged in [from, to), and when, as live would have decided: by what was known when.

    That is kept for as many days as RINGBACK_CORRECTIONS_DAYS says; older and imported minutes are taken as
    they are known now, and how many are is said. With --beside other rules can be tried on what happens now,
    before they take the place of those that page: nobody hears of it.

    Example: ringback alerts backtest --since 8w --svg backtest.svg
    """
    config = settings()
    own = rules_of(config)
    kpis = every_kpi(own)
    file = rules_in(rules, config, kpis)
    span = asked(begin, end, since, config.timezone)
    with answering():
        database = client(config)
        found = backtest_of(database, file, own, config.timezone, span, known is Known.then)
        counts = label_set_counts(database, file, kpis, own.async_channels, span)
        aside = beside_live(database, found.episodes, span) if beside else None
    if svg is not None:
        draw(svg, found, span, config.timezone)
    if format is Format.json:
        episodes = [document(episode) for episode in found.episodes]
        print_json(episodes if aside is None else {"episodes": episodes, "differences": document_of(aside)})
    else:
        print_text(found.episodes, (span[1] - span[0]) / (7 * 24 * 60 * MINUTE_MS), config.timezone)
        if known is Known.then:
            out.print(judged(found), highlight=False)
        for line in (estimated(file, counts), *left_out(file, "repeated")):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        if aside is not None:
            print_beside(aside, config.timezone)


def asked(begin: str | None, end: str | None, since: str | None, zone: str) -> tuple[int, int]:
    """The stretch of history. Raises typer.BadParameter."""
    if since is not None and begin is None and end is None:
        return last(since, now_ms())
    if since is None and begin is not None and end is not None:
        return span_ms(begin, end, zone)
    raise typer.BadParameter("write --since 8w, or both --from and --to")


def judged(found: Backtest) -> str:
    """By what the minutes were judged."""
    share = 100 * found.then // max(1, found.minutes)
    return f"{share} % of the minutes were judged by what was known then, the others as they are known now"


def draw(path: Path, found: Backtest, span: tuple[int, int], zone: str) -> None:
    """The courses with episodes, or all where nothing fired; ends the command where it cannot be written."""
    courses = [course for course in found.courses if course.episodes] or found.courses
    try:
        path.write_text(picture(courses[:DRAWN], span, zone), "utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}", WRONG_USE)


def document(episode: Episode) -> dict[str, Any]:
    """An episode as JSON has it."""
    times = {name: utc_text(at) if (at := getattr(episode, name)) is not None else None for name in TIMES}
    return asdict(episode) | {"labels": dict(episode.labels)} | times


def print_text(found: list[Episode], weeks: float, zone: str) -> None:
    """An episode a line, and how many a week."""
    table = Table(box=None)
    for name in ("fired", "until", "alert", "labels", "value", "n", "window"):
        table.add_column(name, no_wrap=True)
    for episode in found:
        seen = episode.seen
        until = until_shown(episode.ended_at, zone)
        window = f"{seen.window_ms // MINUTE_MS} min"
        fired = local_minute(utc_text(episode.fired_at), zone)
        labels = labels_shown(episode.labels)
        table.add_row(fired, until, episode.alert, labels, episode.value, f"{seen.n:,}", window)
    if found:
        out.print(table)
    out.print(f"{len(found)} episodes in {weeks:.1f} weeks: {len(found) / weeks:.2f} a week", highlight=False)
