"""How far a replay is, on stderr: a bar on a terminal, a line every ten seconds elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cli.console import err
from maintenance.replay import Step

SAY_EVERY_S = 10.0


class ReplayBar:
    """Shows what was sent, the rate, how far the stream is behind and the time left."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._since = self._said = time.monotonic()
        self._first: int | None = None  # sent before an interruption

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Show it while the block runs."""
        if not err.is_terminal:
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err, transient=True) as self._bar:
            self._bar.add_task(name, total=None, said="")
            yield
        self._bar = None

    def update(self, step: Step) -> None:
        """A step further."""
        if self._first is None:
            self._first = step.sent
        now = time.monotonic()
        rate = (step.sent - self._first) / max(now - self._since, 0.001)
        behind = "" if step.lag is None else f", the worker is {step.lag:,} behind"
        said = f"{step.sent:,} sent, {rate:,.0f}/s{behind}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=step.done, total=step.total, said=said)
        elif now - self._said >= SAY_EVERY_S:
            self._said = now
            share = f" ({step.done / step.total:.0%})" if step.total else ""
            err.print(f"{said}{share}", highlight=False, markup=False)
