"""Rule files and files of receivers as commands read them; a fault ends the command with status 2."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from alerts.ledger import Ledger
from alerts.receivers import Receivers
from alerts.rule import RuleFile
from alerts.rule_file import BadRules, load_rules, read_receivers, read_rules
from cli.console import UNREACHABLE, WRONG_USE, fail
from cli.settings import Settings
from kpis.catalogue.kpi import Kpi

DEFAULT = "the default rules"
LEDGER = "alerts.sqlite"
File = Annotated[
    Path | None,
    typer.Argument(help="Rule file; without one that of RINGBACK_ALERT_RULES, else the default rules."),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules", help="Rule file; without one that of RINGBACK_ALERT_RULES, else the default rules."
    ),
]
Told = Annotated[
    Path | None,
    typer.Option(
        "--receivers",
        help="File of receivers; without one that of RINGBACK_ALERT_RECEIVERS, else nobody is told.",
    ),
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


def rules_in(path: Path | None, config: Settings, kpis: dict[str, Kpi]) -> RuleFile:
    """Rules of a file, of the one in the settings, or the default ones."""
    path = path or config.alert_rules
    with reading(path):
        if path is None:
            return read_rules((files("alerts") / "default_rules.yaml").read_text("utf-8"), DEFAULT, kpis)
        return load_rules(path, kpis)


def receivers_in(path: Path | None, config: Settings) -> Receivers:
    """Receivers of a file or of the one in the settings; without one alerts are recorded only."""
    path = path or config.alert_receivers
    with reading(path):
        return Receivers(version=1) if path is None else read_receivers(path)


def open_ledger(config: Settings, threads: bool = False) -> Ledger:
    """The ledger of the data folder, made where there is none; ends the command where it cannot be opened."""
    path = config.data_dir / LEDGER
    try:
        return Ledger(path, threads)
    except (sqlite3.Error, OSError) as error:
        fail(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}", WRONG_USE)


@contextmanager
def shared_ledger(config: Settings) -> Iterator[None]:
    """The ledger of evaluators on several machines; ends the command where Kafka does not give it."""
    try:
        yield
    except KafkaException as error:
        why = f"Kafka at {config.bootstrap_servers} does not give the ledger of alerts: {error.args[0]}"
        fail(f"{why}. Has `ringback alerts run` been started anywhere?", UNREACHABLE)


def now_ms() -> int:
    """This moment."""
    return time.time_ns() // 1_000_000
