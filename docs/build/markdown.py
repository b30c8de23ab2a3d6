"""Markdown that all generated pages share."""

from collections.abc import Iterable, Sequence

MADE = "Made by `make docs`; do not edit, a test compares."


def cell(text: str) -> str:
    """A text inside a table: on one line, its bars not taken for borders."""
    return " ".join(text.split()).replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]
    return "\n".join(lines)


def code(text: object) -> str:
    """A word as it is typed."""
    return f"`{text}`"


def page(*blocks: str) -> str:
    """Blocks with an empty line between them, and a line end behind the last."""
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"
