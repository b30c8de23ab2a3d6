"""`ringback alerts backtest`: rules over history."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts.detectors import detector_of
from alerts.episodes import Episode, episodes
from alerts.label_sets import label_set_counts, minutes_of
from alerts.rule import RuleFile
from cli.alerting.estimated import estimated
from cli.alerting.files import Rules as File
from cli.alerting.files import rules_in
from cli.alerting.listing import labels_shown
from cli.clickhouse import client
from cli.console import Format, out, print_json, settings
from cli.kpi import Begin, End, answering
from cli.settings import rules_of
from cli.shown import local_minute
from cli.times import span_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import Rules
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

TIMES = ("began_at", "fired_at", "ended_at")


def backtest(
    begin: Begin,
    end: End,
    rules: File = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """What would have paged in [from, to), and when, by the numbers as they are known now.

    Example: ringback alerts backtest --from 1999-02-01 --to 1999-03-01
    """
    config = settings()
    own = rules_of(config)
    kpis = every_kpi(own)
    file = rules_in(rules, config, kpis)
    from_ms, to_ms = span_ms(begin, end, config.timezone)
    with answering():
        database = client(config)
        found = all_episodes(file, own, database, (from_ms, to_ms), config.timezone)
        counts = label_set_counts(database, file, kpis, own.async_channels, (from_ms, to_ms))
    if format is Format.json:
        print_json([document(episode) for episode in found])
    else:
        print_text(found, (to_ms - from_ms) / (7 * 24 * 60 * MINUTE_MS), config.timezone)
        out.print(estimated(file, counts), highlight=False)


def all_episodes(
    file: RuleFile, rules: Rules, database: Any, span: tuple[int, int], zone: str
) -> list[Episode]:
    """Episodes of all rules, by the time they fired; what came before the span has a say."""
    kpis, found = every_kpi(rules), list[Episode]()
    for group in file.groups:
        detectors = {rule.alert: detector_of(rule, kpis[rule.kpi], zone) for rule in group.rules}
        minutes = minutes_of(database, group, kpis, detectors, span, rules)
        for rule in group.rules:
            found += episodes(group, rule, kpis, detectors[rule.alert], minutes, span, rules.async_channels)
    return sorted(found, key=lambda episode: (episode.fired_at, episode.alert, episode.labels))


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
        until = local_minute(utc_text(episode.ended_at), zone) if episode.ended_at is not None else "(firing)"
        window = f"{seen.window_ms // MINUTE_MS} min"
        fired = local_minute(utc_text(episode.fired_at), zone)
        labels = labels_shown(episode.labels)
        table.add_row(fired, until, episode.alert, labels, episode.value, f"{seen.n:,}", window)
    if found:
        out.print(table)
    out.print(f"{len(found)} episodes in {weeks:.1f} weeks: {len(found) / weeks:.2f} a week", highlight=False)
