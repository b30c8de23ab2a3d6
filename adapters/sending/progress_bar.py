"""How far an import is: a bar on stderr where that is a terminal, nothing where it is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text


class RowsPerSecond(ProgressColumn):
    """Rows per second since the beginning."""

    def render(self, task: Task) -> Text:
        """The rate as text."""
        rows, elapsed = task.fields["rows"], task.elapsed or 0.0
        return Text(f"{rows / elapsed:,.0f} rows/s" if elapsed > 0 else "")


class ImportProgress:
    """Shows the share of the file that was read, the rate and the time left."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars: Bars | None = None

    @contextmanager
    def of(self, name: str, total_bytes: int | None) -> Iterator[None]:
        """Show the progress of one file while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            RowsPerSecond(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self._console, transient=True) as bars:
            bars.add_task(name, total=total_bytes, rows=0)
            self._bars = bars
            try:
                yield
            finally:
                self._bars = None

    def update(self, rows: int, bytes_read: int) -> None:
        """Rows read so far, and how far into the file that is."""
        if self._bars is not None:
            self._bars.update(self._bars.task_ids[0], completed=bytes_read, rows=rows)
