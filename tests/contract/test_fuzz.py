"""Broken lines through every source: no crash, and a planted customer in nothing that leaves the reader.

The lines are those of the samples, each customer in them replaced by a planted one, then damaged by chance:
bytes flipped, cut, doubled and moved, separators and quotes changed, encoded otherwise. What makes no event
must hold the customer nowhere. In a line that damage made another whole event nobody can tell a number in a
text from that text; there only the key is looked at.
`make fuzz N=100000 SEED=7` tries so many lines of each source.
"""

import random
import re
from collections.abc import Iterator

import pytest
from support.fuzz import BATCH, COUNT, PLANTED, SEED, TELLTALE, damaged, within
from support.samples import SECRET, customers, samples

from adapters.kit import outcomes
from adapters.kit.check import logs_kept, payloads_of, read_lines
from adapters.kit.contract import events_of, refused_of
from adapters.kit.source import Source
from adapters.registry import SOURCES, source_of

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(0)]


def planted_lines(source: Source) -> tuple[list[bytes], list[bytes]]:
    """Headers, and lines of the samples that name the planted customer."""
    header: list[bytes] = []
    found: list[bytes] = []
    for path in samples(source):
        lines = payloads_of(source, path)
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
    for _ in range(0, COUNT, BATCH):
        batch = [damaged(rng, rng.choice(lines)).replace(b"\n", b" ") for _ in range(BATCH)]
        first = [lines[0]] if not header else []
        with within(60, f"a batch of {BATCH} lines"):
            leaks = [text for text in texts(source, [*header, *first, *batch]) if TELLTALE in text]
        assert leaks == []


def test_the_fuzz_finds_payloads_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "shape", lambda payload, item: payload)
    header, lines = planted_lines(source_of("bank"))
    rng = random.Random(SEED)
    batch = [*header, *(damaged(rng, lines[0]) for _ in range(BATCH))]
    assert any(TELLTALE in text for text in texts(source_of("bank"), batch))
