"""`ringback alerts verify`: decided again, by SQL too."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from alerts.decisions import Decision
from alerts.verification import AlertReport, Spell, compared
from cli.alerting.files import Rules, now_ms, rules_in
from cli.alerting.listing import labels_shown
from cli.alerting.queries import left_out
from cli.clickhouse import client
from cli.console import NO, Format, err, out, print_json, settings
from cli.kpi import answering
from cli.settings import rules_of
from cli.shown import local_minute
from cli.times import span_ms
from cli.verifying import last
from kpis.catalogue.every_kpi import every_kpi
from reports.explain.reading import utc_text
from reports.minutes import newest_minute_end

SHOWN = 20
Begin = Annotated[str | None, typer.Option("--from", help="Begin; with --to in place of --last.")]
End = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Last = Annotated[str, typer.Option("--last", help="The last so much, such as 6h or 1d.")]


def verify_alerts(
    rules: Rules = None,
    begin: Begin = None,
    end: End = None,
    last_: Last = "1d",
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Decide again what fired and ended, by the code and by SQL: status 1 where the two differ.

    Says too which alerts were decided otherwise at their time, because some events came late.

    Example: ringback alerts verify --last 1d
    """
    config = settings()
    own = rules_of(config)
    file = rules_in(rules, config, every_kpi(own))
    if (begin is None) != (end is None):
        raise typer.BadParameter("--from and --to belong together")
    now = now_ms()
    span = last(last_, now) if begin is None or end is None else span_ms(begin, end, config.timezone)
    with answering():
        database = client(config)
        known = newest_minute_end(database)
        report = compared(database, file, own, config.timezone, span, min(now, known or now))
    if format is Format.json:
        print_json(document(report))
    else:
        print_text(report, config.timezone)
        for sentence in left_out(file, "decided again"):
            out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if report.by_one:
        raise typer.Exit(NO)


def document(report: AlertReport) -> dict[str, Any]:
    """The report as JSON has it."""
    odd = [
        {"by": by, **asdict(each), "labels": dict(each.labels)}
        | {name: utc_text(getattr(each, name)) for name in ("at", "opened_at")}
        for by, each in report.by_one
    ]
    return {
        "decisions": report.decided,
        "differences": odd,
        "stored": report.stored,
        "only_stored": [spell_document(each) for each in report.only_stored],
        "only_now": [spell_document(each) for each in report.only_now],
    }


def spell_document(spell: Spell) -> dict[str, Any]:
    """An episode as JSON has it."""
    return {"alert": spell[0], "labels": dict(spell[1]), "fired_at": utc_text(spell[2])}


def print_text(report: AlertReport, zone: str) -> None:
    """What agrees, and each decision that does not."""
    if report.by_one:
        err.print(f"[bold red]{len(report.by_one)} decisions differ[/] between the code and SQL:")
    else:
        out.print(f"{report.decided} decisions: the code and SQL agree", highlight=False)
    for by, each in report.by_one[:SHOWN]:
        out.print(f"  only {by}: {line(each, zone)}", highlight=False, markup=False, soft_wrap=True)
    out.print(
        f"{report.stored} episodes were decided at their time; by what is known now "
        f"{len(report.only_stored)} of them would not be, {len(report.only_now)} others would",
        highlight=False,
        soft_wrap=True,
    )
    for title, spells in (("not again", report.only_stored), ("not then", report.only_now)):
        for alert, labels, fired, _ in spells[:SHOWN]:
            when = local_minute(utc_text(fired), zone)
            out.print(f"  {title}: {when} {alert} {labels_shown(labels)}", highlight=False, markup=False)


def line(each: Decision, zone: str) -> str:
    """A decision in a line."""
    counts = f"{each.successes:,} of {each.n:,} in {each.window_ms // 60_000} min"
    at = local_minute(utc_text(each.at), zone)
    return f"{at} {each.kind} {each.alert} {labels_shown(each.labels)}: {counts}"
