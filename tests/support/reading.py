"""Reading a file with a source's reader, as an import does."""

from collections.abc import Iterator
from pathlib import Path

from adapters.kit.lines import open_lines
from adapters.kit.outcomes import LineOutcome
from adapters.kit.source import Reader

SECRET = b"test"


def read_file(reader: Reader, path: str | Path, secret: bytes = SECRET) -> Iterator[LineOutcome]:
    """Outcomes of a file, packed or not; "-" is standard input. They come as the file is read."""
    with open_lines(path) as file:
        yield from reader(file, secret)
