"""The table, and the machine it was made on."""

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from bench.meter import Outcome

VANILLA, CEILING = "vanilla Faust, same logic", "aiokafka + decode"
LIBRARIES = ("faust-streaming", "aiokafka", "chdb", "pydantic", "fastavro")
WIDTH = 150
Rows = dict[str, Outcome]


def cpu_us(outcome: Outcome) -> float:
    """CPU time per event."""
    return outcome.cpu_s / outcome.events * 1e6


def ratio(outcome: Outcome, reference: Outcome | None) -> float | None:
    """How many times the reference's events a CPU-second does."""
    return cpu_us(reference) / cpu_us(outcome) if reference else None


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
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}; "
        + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    )


def document(rows: Rows) -> dict[str, Any]:
    """All of it for a program."""
    listed = [
        {
            "measured": name,
            **asdict(outcome),
            "events_per_s": outcome.events / outcome.wall_s,
            "cpu_us_per_event": cpu_us(outcome),
            "times_vanilla": ratio(outcome, rows.get(VANILLA)),
            "of_ceiling": ratio(outcome, rows.get(CEILING)),
        }
        for name, outcome in rows.items()
    ]
    return {"machine": machine(), "rows": listed}


def show(rows: Rows) -> None:
    """Print it: drawn on a terminal, Markdown elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    table = Table(box=box.ROUNDED if console.is_terminal else box.MARKDOWN)
    table.add_column("measured")
    for heading in ("n events", "events/s", "CPU µs/event", "peak MiB"):
        table.add_column(heading, justify="right")
    table.add_column("counted/true")
    table.add_column("x vanilla", justify="right")
    table.add_column("x ceiling", justify="right")
    for row in document(rows)["rows"]:
        table.add_row(
            row["measured"],
            f"{row['events']:,}",
            f"{row['events_per_s']:,.0f}",
            f"{row['cpu_us_per_event']:.1f}",
            f"{row['peak_mib']:.0f}",
            row["counted"],
            *("" if row[name] is None else f"{row[name]:.2f}" for name in ("times_vanilla", "of_ceiling")),
        )
    console.print(table)
    console.print(machine(), highlight=False)
