"""`ringback alerts list`."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from alerts.label_sets import LabelSet
from alerts.ledger import Change, Ledger
from cli.alerting.files import LEDGER, open_ledger
from cli.console import WRONG_USE, Format, fail, out, print_json, settings
from cli.printable import printable
from cli.settings import Settings
from cli.shown import local_minute
from reports.explain.reading import utc_text


def ledger_in(config: Settings) -> Ledger:
    """The ledger of this data folder; ends the command where there is none."""
    path = config.data_dir / LEDGER
    if not path.exists():
        fail(
            f"no alerts have been evaluated here: {path} is not there. `ringback alerts run` makes it",
            WRONG_USE,
        )
    return open_ledger(config)


def labels_shown(labels: LabelSet) -> str:
    """Labels in a line."""
    return " ".join(f"{name}={printable(value) or '(none)'}" for name, value in labels)


def until_shown(ended_at: int | None, zone: str) -> str:
    """When an episode was over (UTC ms); None: it still fires."""
    return "(firing)" if ended_at is None else local_minute(utc_text(ended_at), zone)


def document(change: Change) -> dict[str, object]:
    """A change as JSON has it."""
    times = {name: utc_text(getattr(change, name)) for name in ("at", "opened_at", "decided_at")}
    return asdict(change) | {"labels": dict(change.labels)} | times


def list_changes(
    limit: Annotated[int, typer.Option(min=1, help="How many changes.")] = 50,
    problems: Annotated[
        bool, typer.Option("--problems", help="Notifications that did not get through.")
    ] = False,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """The last changes of alerts, and how many notifications are sent, waiting or given up.

    Example: ringback alerts list --limit 10
    """
    config = settings()
    ledger = ledger_in(config)
    if problems:
        print_json(
            [asdict(each) | {"created_at": utc_text(each.created_at)} for each in ledger.problems(limit)]
        )
        return
    changes, counts = ledger.changes(limit), ledger.counts()
    ledger.close()
    if format is Format.json:
        print_json({"changes": [document(change) for change in changes], "outbox": counts})
        return
    table = Table("at", "alert", "labels", "to", "since", "episode", box=None)
    for change in changes:
        table.add_row(
            local_minute(utc_text(change.at), config.timezone),
            change.alert,
            labels_shown(change.labels),
            change.kind,
            local_minute(utc_text(change.opened_at), config.timezone),
            change.episode,
        )
    out.print(table)
    out.print(", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing to send")
