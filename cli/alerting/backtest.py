"""`ringback alerts backtest`: rules over history."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts.episodes import Episode, episodes
from alerts.label_sets import minutes_of
from alerts.rule import RuleFile
from cli.alerting.files import Rules, rules_in
from cli.clickhouse import client
from cli.console import Format, out, print_json, settings
from cli.kpi import Begin, End, answering, local_minute
from cli.printable import printable
from cli.settings import rules_of
from cli.times import span_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

TIMES = ("began_at", "fired_at", "ended_at")


def backtest(
    begin: Begin,
    end: End,
    rules: Rules = None,
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
        found = list(all_episodes(file, kpis, client(config), (from_ms, to_ms), own.async_channels))
    if format is Format.json:
        print_json([document(episode) for episode in found])
    else:
        print_text(found, (to_ms - from_ms) / (7 * 24 * 60 * MINUTE_MS), config.timezone)


def all_episodes(
    file: RuleFile,
    kpis: dict[str, Kpi],
    database: Any,
    span: tuple[int, int],
    async_channels: tuple[str, ...],
) -> list[Episode]:
    """Episodes of all rules about shares, by the time they fired; what came before the span has a say."""
    found: list[Episode] = []
    for group in file.groups:
        minutes = minutes_of(database, group, kpis, span)
        for rule in group.rules:
            found += episodes(group, rule, kpis[rule.kpi], minutes, span, async_channels)
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
        labels = " ".join(f"{name}={printable(value) or '(none)'}" for name, value in episode.labels)
        share = f"{100 * seen.successes / seen.n:.1f} %" if seen.n else "-"
        window = f"{seen.window_ms // MINUTE_MS} min"
        fired = local_minute(utc_text(episode.fired_at), zone)
        table.add_row(fired, until, episode.alert, labels, share, f"{seen.n:,}", window)
    if found:
        out.print(table)
    out.print(f"{len(found)} episodes in {weeks:.1f} weeks: {len(found) / weeks:.2f} a week", highlight=False)
