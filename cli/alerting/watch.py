"""What an evaluator in another process decides, as the demo shows it: read from its ledger."""

import time
from collections.abc import Iterator
from pathlib import Path

from alerts.ledger import Change, Ledger
from alerts.message import percent
from cli.printable import printable
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS


def line_of(change: Change) -> str:
    """A change in a line: when (UTC), what, where, and how far off it was when it fired."""
    where = " ".join(printable(value) for _, value in change.labels)
    line = f"{utc_text(change.at)[11:16]}  {change.kind.upper():8}  {change.alert} {where}"
    if change.kind != "firing":
        return f"{line}, since {utc_text(change.opened_at)[11:16]}"
    seen = change.seen
    minutes = seen["window_ms"] // MINUTE_MS
    return f"{line}: {percent(seen['successes'], seen['n'])} of {seen['n']} contacts in {minutes} minutes"


class Watch:
    """Reads a ledger again and again, and tells each change once."""

    def __init__(self, path: Path) -> None:
        self._path, self._told = path, set[str]()
        self._ledger: Ledger | None = None

    def news(self) -> Iterator[str]:
        """Lines of what changed since it was asked last."""
        if self._ledger is None and self._path.exists():
            self._ledger = Ledger(self._path, threads=True)
        changes = self._ledger.changes(100) if self._ledger else []
        for change in sorted(changes, key=lambda each: (each.at, each.id)):
            if change.id not in self._told:
                self._told.add(change.id)
                yield line_of(change)

    def wait_for(self, group: str, at: int, limit_s: float) -> None:
        """Return when a group has been evaluated up to a time, or after so many seconds."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline and (
            self._ledger is None or (self._ledger.position(group) or 0) < at
        ):
            time.sleep(0.1)
