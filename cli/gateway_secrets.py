"""Tokens and secrets of the gateway and the wallboard, from the environment or from files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.kit.source import Source
from cli.console import WRONG_USE, fail

SECRET_MIN_BYTES = 8  # short ones can be tried out; the vendors' own are longer
TOKEN_MIN_BYTES = 16


def lines(name: str, text: str, least: int) -> tuple[bytes, ...]:
    """The secrets in a text, one a line. Ends the command where one is too short to be one."""
    given = filter(None, map(str.strip, text.splitlines()))
    found = tuple(line.encode("utf-8", "surrogateescape") for line in given)
    if not found:
        fail(f"{name} is empty: put a secret into it, or unset it", WRONG_USE)
    if any(len(secret) < least for secret in found):
        fail(f"{name}: a secret has fewer than {least} bytes and could be tried out", WRONG_USE)
    return found


def in_file(name: str, path: Path, least: int) -> tuple[bytes, ...]:
    """The secrets in a file. Ends the command where it cannot be read."""
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        fail(f"{name}: {path} cannot be read: {error.strerror}", WRONG_USE)
    return lines(name, text, least)


def tokens(given: str | None, file: Path | None, name: str = "RINGBACK_GATEWAY_TOKEN") -> tuple[bytes, ...]:
    """Tokens of programs or screens; none where none is set."""
    if given is not None and file is not None:
        fail(f"{name} and {name}_FILE: set one of them", WRONG_USE)
    if file is not None:
        return in_file(f"{name}_FILE", file, TOKEN_MIN_BYTES)
    return () if given is None else lines(name, given, TOKEN_MIN_BYTES)


def source_secrets(
    sources: Iterable[Source], environment: Mapping[str, str] = os.environ
) -> dict[str, tuple[bytes, ...]]:
    """Secrets of the sources that have one: NAME, or NAME_FILE, for the name in the source's entry."""
    found = {}
    for source in sources:
        for name in source.secrets:
            file = environment.get(f"{name}_FILE")
            if name in environment and file:
                fail(f"{name} and {name}_FILE: set one of them", WRONG_USE)
            if file:
                found[source.name] = in_file(f"{name}_FILE", Path(file), SECRET_MIN_BYTES)
            elif name in environment:
                found[source.name] = lines(name, environment[name], SECRET_MIN_BYTES)
    return found
