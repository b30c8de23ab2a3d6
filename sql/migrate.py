"""Numbered migrations: which there are, in order, and their statements."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

# What a semicolon may hide in: comments, strings and quoted names; a backslash escapes in all quotes.
TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)"""
    r"""|(?P<end>;)""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of sql/migrations: its number orders it and is what a database remembers."""

    number: int
    name: str
    statements: tuple[str, ...]


def split_statements(text: str) -> tuple[str, ...]:
    """Statements of a script, without their semicolons; pieces of nothing but comments are left out."""
    pieces: list[str] = []
    begin, bare = 0, ""  # `bare` is the piece so far without comments
    position = 0
    for token in TOKEN.finditer(text):
        bare += text[position : token.start()]
        position = token.end()
        if token.lastgroup == "quoted":
            bare += token.group()
        elif token.lastgroup == "end":
            if bare.strip():
                pieces.append(text[begin : token.start()].strip())
            begin, bare = token.end(), ""
    if (bare + text[position:]).strip():
        pieces.append(text[begin:].strip())
    return tuple(pieces)


def in_order(scripts: dict[str, str]) -> tuple[Migration, ...]:
    """Migrations from file names and texts. Raises ValueError for a bad name or a number used twice."""
    found: dict[int, Migration] = {}
    for file_name, text in scripts.items():
        match = FILE_NAME.fullmatch(file_name)
        if match is None:
            raise ValueError(f"migration {file_name!r} is not named like 0001_name.sql")
        number = int(match[1])
        if number in found:
            raise ValueError(f"two migrations have the number {number}: {found[number].name}, {match[2]}")
        found[number] = Migration(number, match[2], split_statements(text))
    return tuple(found[number] for number in sorted(found))


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations that come with this version, first to last."""
    scripts = [item for item in (files("sql") / "migrations").iterdir() if item.name.endswith(".sql")]
    return in_order({script.name: script.read_text("utf-8") for script in scripts})
