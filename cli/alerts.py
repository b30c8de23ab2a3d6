"""`ringback alerts`: rules for KPI dips, checked, tried on history, and run."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts.episodes import Episode, episodes
from alerts.evaluate import Evaluator
from alerts.label_sets import minutes_of
from alerts.ledger import Ledger
from alerts.notify.post import TIMEOUT_S
from alerts.receivers import Receivers
from alerts.rule import RuleFile
from alerts.rule_file import BadRules, load_rules, read_receivers, read_rules
from alerts.service import run as run_until_stopped
from alerts.service import send_until_stopped
from cli.clickhouse import client
from cli.console import WRONG_USE, Format, fail, out, print_json, settings
from cli.kpi import Begin, End, answering, local_minute
from cli.printable import printable
from cli.settings import rules_of
from cli.times import span_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

app = typer.Typer(no_args_is_help=True, help="Rules for KPI dips: check them, try them on history, run them.")
DEFAULT = "the default rules"
File = Annotated[Path | None, typer.Argument(help="Rule file; without one the default rules are meant.")]
Rules = Annotated[
    Path | None, typer.Option("--rules", help="Rule file; without one the default rules are meant.")
]

Told = Annotated[
    Path | None, typer.Option("--receivers", help="File of receivers; without one nobody is told.")
]


@contextmanager
def reading(path: Path | None) -> Iterator[None]:
    """A file that cannot be used ends the command with status 2: each fault, or why it cannot be read."""
    try:
        yield
    except BadRules as error:
        fail(
            "; ".join(error.faults) if len(error.faults) == 1 else "\n  " + "\n  ".join(error.faults),
            WRONG_USE,
        )
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}", WRONG_USE)


def rules_in(path: Path | None, kpis: dict[str, Kpi]) -> RuleFile:
    """Rules of a file, or the default ones."""
    with reading(path):
        if path is None:
            return read_rules((files("alerts") / "default_rules.yaml").read_text("utf-8"), DEFAULT, kpis)
        return load_rules(path, kpis)


def receivers_in(path: Path | None) -> Receivers:
    """Receivers of a file; without one there are none, and alerts are recorded only."""
    with reading(path):
        return Receivers(version=1) if path is None else read_receivers(path)


@app.command()
def check(file: File = None) -> None:
    """Is a rule file well written, and does it make sense? Status 2 with each fault and its line if not.

    Example: ringback alerts check rules.yaml
    """
    found = rules_in(file, every_kpi(rules_of(settings())))
    number = sum(len(group.rules) for group in found.groups)
    out.print(
        f"{file or DEFAULT}: {number} rules in {len(found.groups)} groups are in order", highlight=False
    )


@app.command()
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
    file = rules_in(rules, kpis)
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


TIMES = ("began_at", "fired_at", "ended_at")


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


@app.command()
def run(rules: Rules = None, receivers: Told = None) -> None:
    """Evaluate the rules every minute and tell the receivers, until Ctrl-C or SIGTERM.

    Where it stands and what is to be sent is in the file alerts.sqlite of the data folder.

    Example: ringback alerts run --receivers receivers.yaml
    """
    config = settings()
    own = rules_of(config)
    kpis = every_kpi(own)
    file, told = rules_in(rules, kpis), receivers_in(receivers)
    path, stop = config.data_dir / "alerts.sqlite", threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    database = client(config)
    ledger, outbox = Ledger(path), Ledger(path, threads=True)
    names = tuple(receiver.name for receiver in told.receivers)
    sender = threading.Thread(target=send_until_stopped, args=(outbox, told, now_ms, stop), daemon=True)
    sender.start()
    try:
        run_until_stopped(file, Evaluator(kpis, own.async_channels, ledger, names), database, now_ms, stop)
    finally:
        stop.set()
        sender.join(TIMEOUT_S + 1)
        ledger.close()


@app.command("list")
def list_changes(
    limit: Annotated[int, typer.Option(min=1, help="How many changes.")] = 50,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """The last changes of alerts, and how many notifications are sent, waiting or given up.

    Example: ringback alerts list --limit 10
    """
    config = settings()
    path = config.data_dir / "alerts.sqlite"
    if not path.exists():
        fail(
            f"no alerts have been evaluated here: {path} is not there. `ringback alerts run` makes it",
            WRONG_USE,
        )
    ledger = Ledger(path)
    changes, counts = ledger.transitions(limit), ledger.counts()
    ledger.close()
    if format is Format.json:
        names = ("alert", "labels", "kind", "at", "opened_at", "episode")
        print_json(
            {"changes": [dict(zip(names, change, strict=True)) for change in changes], "outbox": counts}
        )
        return
    table = Table("at", "alert", "labels", "to", "since", box=None)
    for alert, labels, kind, at, opened_at, _ in changes:
        table.add_row(
            local_minute(utc_text(at), config.timezone),
            alert,
            printable(labels),
            kind,
            local_minute(utc_text(opened_at), config.timezone),
        )
    out.print(table)
    out.print(", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing to send")


def now_ms() -> int:
    """This moment."""
    return time.time_ns() // 1_000_000
