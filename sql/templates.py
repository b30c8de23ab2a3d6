"""SQL kept in files: sql/<folder>/<name>.sql, with places for relations, names and conditions."""

import re
from functools import cache
from importlib.resources import files

PLACE = re.compile(r"\{(\w+)\}")  # {name:Type} is a parameter of ClickHouse's own


@cache
def template(folder: str, name: str) -> str:
    """The file sql/<folder>/<name>.sql as it stands, its places not yet filled."""
    return (files("sql") / folder / f"{name}.sql").read_text("utf-8")


def fill(folder: str, name: str, **parts: str) -> str:
    """A template with its parts put in: a statement. Raises ValueError unless each part has a place and each
    place its part. What is in a part is left as it is.
    """
    text = template(folder, name)
    places = set(PLACE.findall(text))
    if places != parts.keys():
        odd = ", ".join(sorted(places ^ parts.keys()))
        raise ValueError(f"sql/{folder}/{name}.sql and its caller do not agree on {odd}")
    return PLACE.sub(lambda found: parts[found[1]], text).rstrip()


def compose(folder: str, name: str, **parts: str) -> str:
    """A template with its parts put in, in brackets: a relation."""
    return f"({fill(folder, name, **parts)})"
