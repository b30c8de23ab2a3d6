"""`ringback rebuild --list`: what rebuilds there were, what was asked of each and how it ended."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from cli.console import Format, out, print_json
from cli.printable import printable
from cli.shown import local_minute
from maintenance.rebuild import ledger
from maintenance.rebuild.ledger import Rebuild

ENDED = {
    ledger.BEGUN: "at work or cut short",
    ledger.MADE: "nothing differed",
    ledger.SWAPPING: "cut short in place",  # the next rebuild does the rest of it
    ledger.SWAPPED: "in place",
    ledger.UNDOING: "cut short undone",
    ledger.UNDONE: "taken back",
}


def listing(found: list[tuple[Rebuild, datetime]], zone: str, format: Format) -> None:
    """All rebuilds, the latest first."""
    if format is Format.json:
        return print_json([asdict(one) | {"at": at.isoformat() + "Z"} for one, at in found])
    if not found:
        return out.print("there were no rebuilds")
    table = Table(box=None, pad_edge=False)
    for name in ("id", f"at ({zone})", "how it is", "windows", "asked for"):
        table.add_column(name, no_wrap=name != "asked for", justify="right" if name == "windows" else "left")
    for one, at in found:
        when = local_minute(at.replace(tzinfo=UTC).isoformat(), zone)
        windows = one.summary.get("windows")
        table.add_row(
            one.id, when, state(one), f"{windows:,}" if windows is not None else "-", asked(one.asked, zone)
        )
    out.print(table)


def state(rebuild: Rebuild) -> str:
    """How far it is, or how it ended."""
    if rebuild.state == ledger.MADE and rebuild.asked.get("dry_run"):
        return "dry run"
    return ENDED[rebuild.state]


def asked(options: dict[str, Any], zone: str) -> str:
    """What it was to make anew."""
    parts = []
    if options.get("span"):
        begin, end = (
            local_minute(datetime.fromtimestamp(ms / 1000, UTC).isoformat(), zone) for ms in options["span"]
        )
        parts.append(f"{begin} to {end}")
    if options.get("queues"):
        parts.append("queues " + ", ".join(map(printable, options["queues"])))
    return ", ".join(parts) or "everything"
