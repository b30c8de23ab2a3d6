"""Broken lines through every source: no crash, and a planted customer in nothing that leaves the reader.

The lines are those of the samples, each customer in them replaced by a planted one, then damaged by chance:
bytes flipped, cut, doubled and moved, separators and quotes changed, encoded otherwise. What makes no event
must hold the customer nowhere. In a line that damage made another whole event nobody can tell a number in a
text from that text; there only the key is looked at.
`RINGBACK_FUZZ=100000 pytest tests/contract/test_fuzz.py` tries so many lines of each source.
"""

import os
import random
import re
from collections.abc import Callable, Iterator

import pytest
from support.samples import SECRET, customers, samples

from adapters.kit import outcomes
from adapters.kit.check import lines_of, logs_kept, read_lines
from adapters.kit.contract import events_of, refused_of
from adapters.kit.source import Source
from adapters.registry import SOURCES, source_of

LINES = int(os.environ.get("RINGBACK_FUZZ", "1500"))
SEED = 20_261_127
BATCH = 250
PLANTED = "7778881999"
PIECES = (
    b'"',
    b"'",
    b"\\",
    b",",
    b";",
    b"\t",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b" ",
    b"\0",
    b"\x1b]0;x\x07",
    b"\xff",
)
ENCODINGS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-7", "cp037")
Damage = Callable[[random.Random, bytes], bytes]


def flip(rng: random.Random, line: bytes) -> bytes:
    place = rng.randrange(len(line))
    return line[:place] + bytes([rng.randrange(256)]) + line[place + 1 :]


def insert(rng: random.Random, line: bytes) -> bytes:
    place = rng.randrange(len(line) + 1)
    return line[:place] + rng.choice(PIECES) + line[place:]


def drop(rng: random.Random, line: bytes) -> bytes:
    begin = rng.randrange(len(line))
    return line[:begin] + line[begin + rng.randint(1, 8) :]


def cut(rng: random.Random, line: bytes) -> bytes:
    place = rng.randrange(len(line))
    return line[place:] if rng.random() < 0.5 else line[:place]


def swap(rng: random.Random, line: bytes) -> bytes:
    return line.replace(rng.choice(PIECES), rng.choice(PIECES), rng.choice((1, -1)))


def double(rng: random.Random, line: bytes) -> bytes:
    begin = rng.randrange(len(line))
    piece = line[begin : begin + rng.randint(1, 60)].replace(PLANTED.encode(), b"")
    place = rng.randrange(len(line))
    return line[:place] + piece + line[place:]


def recode(rng: random.Random, line: bytes) -> bytes:
    return (
        line.decode("latin-1")
        .encode(rng.choice(ENCODINGS), "replace")
        .replace(b"\n", b"")
        .replace(b"\r", b"")
    )


def recase(rng: random.Random, line: bytes) -> bytes:
    return rng.choice((line.upper, line.lower, line.title))()


DAMAGES: tuple[Damage, ...] = (flip, insert, drop, cut, swap, double, recode, recase)


def damaged(rng: random.Random, line: bytes) -> bytes:
    """A line with one to four damages."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        line = rng.choice(DAMAGES)(rng, line) if line else line
    return line.replace(b"\n", b" ")


def planted_lines(source: Source) -> tuple[list[bytes], list[bytes]]:
    """Headers, and lines of the samples that name the planted customer."""
    header: list[bytes] = []
    found: list[bytes] = []
    for path in samples(source):
        lines = lines_of(path)
        header = lines[: source.header_lines]
        for line in lines[source.header_lines :]:
            for name in sorted(customers(source), key=len, reverse=True):
                line = line.replace(name.encode(), PLANTED.encode())
            if PLANTED.encode() in line:
                found.append(line)
    return header, found


def texts(source: Source, lines: list[bytes]) -> Iterator[str]:
    """All that a reader gives away of lines that make no event, and what it logs."""
    with logs_kept() as logs:
        given = [*read_lines(source.load_reader(), "fuzz", lines, SECRET)]
    for letter in refused_of(given):
        yield f"{letter.origin} {letter.reason} {letter.detail}"
        yield letter.payload.replace(b"\0", b"").decode("latin-1")
    for event in events_of(given):
        key = getattr(event, "customer_key", None)
        yield "" if key is None or re.fullmatch("[0-9a-f]{32}", key) else key
    yield from logs


@pytest.mark.parametrize("source", [pytest.param(source, id=source.name) for source in SOURCES])
def test_damaged_lines_crash_nothing_and_name_nobody(source: Source) -> None:
    header, lines = planted_lines(source)
    assert lines
    rng = random.Random(f"{SEED} {source.name}")
    for _ in range(0, LINES, BATCH):
        batch = [damaged(rng, rng.choice(lines)) for _ in range(BATCH)]
        first = [lines[0]] if not header else []
        leaks = [text for text in texts(source, [*header, *first, *batch]) if PLANTED[:7] in text]
        assert leaks == []


def test_the_fuzz_finds_payloads_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "shape", lambda payload: payload)
    header, lines = planted_lines(source_of("bank"))
    rng = random.Random(SEED)
    batch = [*header, *(damaged(rng, lines[0]) for _ in range(BATCH))]
    assert any(PLANTED[:7] in text for text in texts(source_of("bank"), batch))
