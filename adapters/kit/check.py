"""Holding files of a source against the contract: read twice, mixed, and as one export after the other."""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
from structlog.testing import capture_logs

from adapters.kit.contract import (
    Fold,
    Identifiers,
    customers_named,
    events_of,
    history_changed,
    mixed,
    order_matters,
    reasons_wrong,
    reread_differs,
    revisions_wrong,
    too_many_refused,
)
from adapters.kit.json_pieces import Pieces
from adapters.kit.lines import LineFile, open_lines
from adapters.kit.outcomes import LineOutcome, WrongFile
from adapters.kit.source import Reader, Source


@dataclass(frozen=True, slots=True)
class Checked:
    """A promise of the contract, and what of it a file does not keep; nothing: it is kept."""

    promise: str
    wrong: list[str]


@dataclass(slots=True)
class Reading:
    """What a file gave, and what was logged meanwhile."""

    outcomes: list[LineOutcome] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)


class LogLines(logging.Handler):
    """A handler that keeps every log line of a reading, to look for customers in it."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what one log record says, as it would be printed."""
        self._kept.append(self.format(record))


@contextmanager
def logs_kept() -> Iterator[list[str]]:
    """All that is logged inside the block, by structlog or by the standard library, at any level."""
    kept: list[str] = []
    root, handler = logging.getLogger(), LogLines(kept)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with capture_logs() as entries:
            yield kept
        kept += [str(entry) for entry in entries]
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def read_stored(source: Source, path: str | Path, secret: bytes) -> Reading:
    """What a file gives, as an import reads it. Raises WrongFile and OSError."""
    return read_with(source.load_reader(), path, secret)


def read_with(reader: Reader, path: str | Path, secret: bytes) -> Reading:
    """What a reader gives of a file. Raises WrongFile and OSError."""
    with logs_kept() as logs, open_lines(path) as file:
        outcomes = [*reader(file, secret)]
    return Reading(outcomes, logs)


def read_lines(reader: Reader, name: str, lines: Sequence[bytes], secret: bytes) -> Iterator[LineOutcome]:
    """What lines give that stand in no file. Raises WrongFile."""
    data = b"\n".join(lines)
    return reader(LineFile(name, io.BufferedReader(io.BytesIO(data)), len(data)), secret)


def lines_of(path: str | Path) -> list[bytes]:
    """The lines of a file that can be read, unpacked. Raises WrongFile and OSError."""
    with open_lines(path) as file:
        return [line.data for line in file if not line.problem]


def payloads_of(source: Source, path: str | Path) -> list[bytes]:
    """What a file holds, piece by piece: lines, or payloads however they are written."""
    if not source.adapter:
        return lines_of(path)
    with open_lines(path) as file:
        return [piece.data.replace(b"\n", b"") for piece in Pieces(file) if not piece.problem]


def check_file(
    source: Source, path: str | Path, secret: bytes, fold: Fold, max_refused: float
) -> list[Checked]:
    """Hold one file against the contract. It is read several times and kept in memory.

    `fold` makes the facts of a contact from its events. Raises WrongFile and OSError.
    """
    first, second = (read_stored(source, path, secret) for _ in range(2))
    lines = payloads_of(source, path)
    customers_of = source.load_customers()
    identifiers = Identifiers({raw for line in lines[source.header_lines :] for raw in customers_of(line)})
    checked = [
        Checked("the same on every reading", reread_differs(first.outcomes, second.outcomes)),
        Checked("a correction has another revision", revisions_wrong(first.outcomes)),
        Checked("no customer is named", customers_named(first.outcomes, first.logs, identifiers)),
        Checked("refused lines have a reason", reasons_wrong(first.outcomes)),
        Checked("few lines are refused", too_many_refused(first.outcomes, max_refused)),
    ]
    if source.adapter or source.mapping:
        again = [*read_lines(source.load_reader(), Path(path).name, [grown(line) for line in lines], secret)]
        checked.append(Checked("a redelivery with more in it changes nothing", grown_differs(first, again)))
    if not source.ordered:
        shuffled = [
            *read_lines(source.load_reader(), Path(path).name, mixed(lines, source.header_lines), secret)
        ]
        wrong = order_matters(first.outcomes, shuffled, fold)
        checked.append(Checked("order and duplicates do not matter", wrong))
    return checked


def grown(line: bytes) -> bytes:
    """A payload as it is sent again by a system that has learnt to say more: a field more in each object."""
    try:
        return orjson.dumps(with_more(orjson.loads(line)))
    except orjson.JSONDecodeError:
        return line


def with_more(value: Any) -> Any:
    """A value with a field more in each object that has any."""
    if isinstance(value, list):
        return [with_more(each) for each in value]
    if not isinstance(value, dict) or not value:
        return value
    return {name: with_more(each) for name, each in value.items()} | {"ringback_probe": "added since"}


def grown_differs(first: Reading, again: Sequence[LineOutcome]) -> list[str]:
    """Payloads that say more must give the same events."""
    before, now = list(events_of(first.outcomes)), list(events_of(again))
    same = sum(one == two for one, two in zip(before, now, strict=False))
    if before == now:
        return []
    return [
        f"sent again with fields that nobody knows, {len(before)} events become {len(now)}, {same} the same"
    ]


def other_file_wrong(
    source: Source, name: str, lines: Sequence[bytes], secret: bytes, identifiers: Identifiers
) -> list[str]:
    """Lines of another kind must be refused before anything is told, in words that name no customer."""
    try:
        first = next(read_lines(source.load_reader(), name, lines, secret), None)
    except WrongFile as refused:
        wrong = [] if name in str(refused) else [f"{name} is refused without its name"]
        named = identifiers.stand_in(str(refused))
        return [*wrong, f"the refusal of {name} names a customer"] if named else wrong
    return [f"{name} is of another kind and not refused: it gives {type(first).__name__}"]


def check_exports(source: Source, paths: Sequence[str | Path], secret: bytes) -> list[Checked]:
    """Hold exports of a source that tells states, oldest first, against each other."""
    readings = [read_stored(source, path, secret).outcomes for path in paths]
    wrong = [found for earlier, later in pairwise(readings) for found in history_changed(earlier, later)]
    return [Checked("a longer export repeats the one before", wrong)]
