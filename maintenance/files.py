"""Events in files: JSON lines, Avro container files and Parquet, told apart by their first bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from adapters.events.json_lines import read_events
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import Accepted, Skipped, WrongFile
from adapters.sending.records import OutgoingRecord
from maintenance.container import is_container, read_container
from maintenance.history import ALWAYS, Piece, Position, Span, canonical_record
from maintenance.parquet import is_parquet, read_parquet
from schemas.codec import DecodeError
from schemas.dead_letter import DeadLetter
from schemas.events import Event
from schemas.shape import shape

PIECE = 5_000
BINARY = {".avro": "an Avro container file", ".parquet": "Parquet"}
Outcome = Event | DeadLetter | None


def outcomes(path: Path, secret: bytes) -> Iterator[Outcome]:
    """What each record or line of a file gives. Raises WrongFile, OSError."""
    if is_container(path):
        return refused_as_letters(path, read_container(path))
    if is_parquet(path):
        return refused_as_letters(path, read_parquet(path, secret))
    if path.suffix in BINARY:  # lines would find nothing in an empty one, and say that all is well
        raise WrongFile(
            f"{path.name} does not begin as {BINARY[path.suffix]} does: was it written to its end?"
        )
    return of_lines(path, secret)


def refused_as_letters(path: Path, found: Iterator[Event | DecodeError]) -> Iterator[Outcome]:
    """Dead letters in place of what is no event; of a record only what is wrong with it is told."""
    for number, item in enumerate(found, 1):
        if isinstance(item, DecodeError):
            yield DeadLetter(path.name, number, item.reason, item.detail, shape(b""))
        else:
            yield item


def of_lines(path: Path, secret: bytes) -> Iterator[Outcome]:
    """Events of JSON lines, packed or not."""
    with open_lines(path) as lines:
        for item in read_events(lines, secret):
            if isinstance(item, Accepted):
                yield from item.events
            else:
                yield None if isinstance(item, Skipped) else item


@dataclass(frozen=True)
class FileHistory:
    """Events of files, one after the other. A position is a file's number and how many records were read."""

    paths: tuple[Path, ...]
    secret: bytes
    span: Span = ALWAYS

    @property
    def name(self) -> str:
        """What is read, for people."""
        return self.paths[0].name if len(self.paths) == 1 else f"{len(self.paths)} files"

    @property
    def identity(self) -> tuple[str, ...]:
        """Files are the same as long as nobody has written to them."""
        stats = [(path.resolve(), path.stat()) for path in self.paths]
        return (repr(self.span), *(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats))

    def total(self) -> int | None:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    def pieces(self, position: Position | None) -> Iterator[Piece]:
        """Read on. Raises WrongFile, OSError."""
        first, known = (position["file"], position["records"]) if position else (0, 0)
        done = sum(path.stat().st_size for path in self.paths[:first])
        for number, path in enumerate(self.paths[first:], first):
            size = path.stat().st_size
            records = known if number == first else 0
            found = islice(outcomes(path, self.secret), records, None)
            while read := [*islice(found, PIECE)]:
                records += len(read)
                # How long a file is in records nobody knows; its end is what the bar jumps to.
                yield self._piece(read, {"file": number, "records": records}, done)
            done += size
            yield Piece((), {"file": number + 1, "records": 0}, done)

    def _piece(self, read: list[Outcome], position: Position, done: int) -> Piece:
        records: list[OutgoingRecord] = []
        letters: list[DeadLetter] = []
        for item in read:
            if isinstance(item, DeadLetter):
                letters.append(item)
            elif item is not None and self.span.holds(item):
                records.append(canonical_record(item))
        return Piece(records, position, done, letters)
