"""The table, and the machine it was made on."""

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.meter import Outcome

VANILLA, CEILING = "vanilla Faust, same logic", "aiokafka + decode"
QUIX, QUIX_EXACTLY_ONCE = "Quix Streams, same logic", "Quix Streams, exactly once"
LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "chdb", "pydantic", "fastavro", "quixstreams")
WIDTH = 150
HEADINGS = (
    "measured", "n events", "events/s", "CPU µs/event", "peak MiB", "counted/true", "x vanilla", "x ceiling",
)  # fmt: skip
Rows = dict[str, Outcome]


def cpu_us(outcome: Outcome) -> float:
    """CPU time per event; 0 for a row without figures."""
    return outcome.cpu_s / outcome.events * 1e6 if outcome.events else 0


def ratio(outcome: Outcome, reference: Outcome | None) -> float | None:
    """How many times the reference's events a CPU-second does."""
    return cpu_us(reference) / cpu_us(outcome) if reference and outcome.events else None


def versions() -> str:
    """Libraries that matter, those that are installed."""
    found = []
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def machine() -> str:
    """One line about where this ran."""
    models = [
        line.partition(":")[2].strip()
        for path in (Path("/proc/cpuinfo"),)
        if path.exists()
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{os.cpu_count()} cores {models[0] if models else platform.processor()}, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}; {versions()}"
    )


def document(rows: Rows) -> dict[str, Any]:
    """All of it for a program."""
    listed = [
        {
            "measured": name,
            **asdict(outcome),
            "events_per_s": outcome.events / outcome.wall_s if outcome.events else 0,
            "cpu_us_per_event": cpu_us(outcome),
            "times_vanilla": ratio(outcome, rows.get(VANILLA)),
            "of_ceiling": ratio(outcome, rows.get(CEILING)),
        }
        for name, outcome in rows.items()
    ]
    return {"machine": machine(), "rows": listed}


def console() -> Console:
    """Where tables go: as wide as they are, where it is no terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)


def columns(headings: Sequence[str], left: Sequence[str]) -> Table:
    """An empty table, drawn on a terminal, Markdown elsewhere; numbers to the right."""
    table = Table(box=box.ROUNDED if console().is_terminal else box.MARKDOWN)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    return table


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    ratios = ["" if row[name] is None else f"{row[name]:.2f}" for name in ("times_vanilla", "of_ceiling")]
    if not row["events"]:
        return [row["measured"], "", "", "", "", escape(row["counted"]), *ratios]
    return [
        row["measured"],
        f"{row['events']:,}",
        f"{row['events_per_s']:,.0f}",
        f"{row['cpu_us_per_event']:.1f}",
        f"{row['peak_mib']:.0f}",
        row["counted"],
        *ratios,
    ]


def show(rows: Rows) -> None:
    """Print it."""
    table = columns(HEADINGS, ("measured", "counted/true"))
    for row in document(rows)["rows"]:
        table.add_row(*cells(row))
    console().print(table)
    console().print(machine(), highlight=False)
