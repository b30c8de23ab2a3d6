"""Changes of alerts for the wallboard, from the ledger of `ringback alerts run` on this machine."""

import sqlite3
from pathlib import Path

from alerts.ledger import Ledger, labels_text
from wallboard.alerts import Change

LATEST = 500


def latest_changes(path: Path) -> list[Change] | None:
    """The last changes; None where no alerts are evaluated here."""
    if not path.exists():
        return None
    try:
        ledger = Ledger(path)
        try:
            found = ledger.changes(LATEST)
        finally:
            ledger.close()
    except sqlite3.Error:
        return None  # it is being made, or is not ours to read: the wall says that it knows of none
    return [
        (one.alert, labels_text(one.labels), one.kind, one.at, one.opened_at, one.episode) for one in found
    ]
