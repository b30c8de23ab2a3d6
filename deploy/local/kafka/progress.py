"""Shows how far a download is: a bar where stderr is a terminal, a few plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]
PLAIN_STEPS = 4


@contextlib.contextmanager
def download_display(title: str, total_bytes: int, say: Callable[[str], None]) -> Iterator[Advance]:
    """Give a function that takes each count of bytes received; it may be called from several threads."""
    if not sys.stderr.isatty():
        yield _plain(title, total_bytes, say)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total_bytes)
        yield lambda count: bar.advance(task, count)


class PartOfDownload:
    """What pooch counts of one file, as a part of the whole: in full chunks, and set right at its end."""

    def __init__(self, advance: Advance) -> None:
        self.total = 0  # pooch sets it
        self._advance = advance
        self._counted = 0

    def update(self, count: int) -> None:
        """More bytes."""
        self._counted += count
        self._advance(count)

    def reset(self) -> None:
        """From the beginning again."""
        self.update(-self._counted)

    def close(self) -> None:
        """Nothing is open."""


def _plain(title: str, total_bytes: int, say: Callable[[str], None]) -> Advance:
    received = 0
    step = 1

    def advance(count: int) -> None:
        nonlocal received, step
        received += count
        while step < PLAIN_STEPS and received * PLAIN_STEPS >= step * total_bytes:
            say(f"{title}: {100 * step // PLAIN_STEPS} %")
            step += 1

    return advance
