"""SQL kept in files: sql/<folder>/<name>.sql, with places for relations."""

from functools import cache
from importlib.resources import files


@cache
def template(folder: str, name: str) -> str:
    """Text of sql/<folder>/<name>.sql."""
    return (files("sql") / folder / f"{name}.sql").read_text("utf-8")


def compose(folder: str, name: str, **parts: str) -> str:
    """A template with its parts put in, in brackets: a relation.

    Not str.format: braces also mark ClickHouse's own parameters.
    """
    text = template(folder, name)
    for placeholder, part in parts.items():
        text = text.replace(f"{{{placeholder}}}", part)
    return f"({text})"
