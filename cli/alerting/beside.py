"""Rules beside those that decided live: what they would have said more, and what they would not have said."""

from typing import Any

from rich.table import Table

from alerts.verification import ENDLESS, Beside, Spell
from cli.alerting.listing import labels_shown, until_shown
from cli.console import out
from cli.shown import local_minute
from reports.explain.reading import utc_text


def by_whom(found: Beside) -> list[tuple[str, Spell]]:
    """What only one of them says, and which."""
    return [("by these rules", spell) for spell in found.only_these] + [
        ("live", spell) for spell in found.only_live
    ]


def document_of(found: Beside) -> list[dict[str, Any]]:
    """What only one of them says, as JSON has it."""
    return [
        {
            "only": by,
            "alert": alert,
            "labels": dict(labels),
            "fired_at": utc_text(fired),
            "ended_at": None if over == ENDLESS else utc_text(over),
        }
        for by, (alert, labels, fired, over) in by_whom(found)
    ]


def print_beside(found: Beside, zone: str) -> None:
    """How many are the same, and a line for each that only one of them says."""
    out.print(
        f"beside what was decided live: {found.both} in both, {len(found.only_these)} by these rules alone, "
        f"{len(found.only_live)} live alone", highlight=False,
    )  # fmt: skip
    table = Table(box=None)
    for name in ("fired", "until", "alert", "labels", "only"):
        table.add_column(name, no_wrap=True)
    for by, (alert, labels, fired, over) in by_whom(found):
        until = until_shown(None if over == ENDLESS else over, zone)
        table.add_row(local_minute(utc_text(fired), zone), until, alert, labels_shown(labels), by)
    if table.row_count:
        out.print(table)
