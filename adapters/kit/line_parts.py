"""A file of lines that mean something each by itself, cut into parts that can be read beside each other."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from adapters.kit.lines import DAMAGED, LINE_MAX_BYTES, Line, LineFile

PART_BYTES = 1024 * 1024
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines in a row. `first` is the number of the first one.

    `begun`: what tells whether it is the right file, a header say, was in an earlier part. `cut_off` bytes
    of an endless last line are not here. `problem` is what reading ended with behind these lines, or "".
    `bytes_read` is how far into the file (as stored) reading was.
    """

    first: int
    data: bytes
    begun: bool
    cut_off: int = 0
    problem: str = ""
    bytes_read: int = 0


class PartFile(LineFile):
    """A part as an open file for the reader of a source."""

    def __init__(self, name: str, part: Part, keep_payloads: bool) -> None:
        self.name, self.keep_payloads = name, keep_payloads
        self.first_number, self.begun = part.first, part.begun
        self.total_bytes = None
        self._part = part
        self._lines: BinaryIO = io.BytesIO(part.data)

    def __iter__(self) -> Iterator[Line]:
        """The lines of the part, and the one that could not be read."""
        yield from super().__iter__()
        if self._part.problem:
            yield Line(self.first_number + self._part.data.count(b"\n"), b"", self._part.problem)

    def drop_line(self) -> int:
        """The same, with what of the last line is not in the part."""
        dropped = super().drop_line()
        whole = self._lines.tell() < len(self._part.data) or self._part.data.endswith(b"\n")
        return dropped if whole else dropped + self._part.cut_off


def parts_of(file: LineFile) -> Iterator[Part]:
    """The parts of an open file, in order. Raises OSError of the disk."""
    first, begun, rest, ended = file.first_number, file.begun, b"", False
    while not ended:
        data, problem, ended = filled(file, rest)
        whole, cut_off = data.rfind(b"\n") + 1, 0
        if not ended and len(data) - whole > LINE_MAX_BYTES:
            cut_off, problem = dropped(file)
            ended = bool(problem)
            whole = whole if problem else len(data)
        elif ended and not problem:
            whole = len(data)
        # What stands before a damage without a line end is half a line, and is told as the damaged one.
        data, rest = data[:whole], data[whole:]
        if data or problem:
            yield Part(first, data, begun, cut_off, problem, file.bytes_read)
        begun = begun or bool(data.strip())
        first += data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def filled(file: LineFile, rest: bytes) -> tuple[bytes, str, bool]:
    """The next bytes behind `rest`, why they end there if that is a damage, and whether nothing follows."""
    pieces, size = [rest], 0
    try:
        while size < PART_BYTES:
            piece = file.read_piece(READ_BYTES)  # by lines, so that in front of a damage no more is lost
            if not piece:
                return b"".join(pieces), "", True
            pieces.append(piece)
            size += len(piece)
    except DAMAGED as error:
        return b"".join(pieces), damage(error), True
    return b"".join(pieces), "", False


def dropped(file: LineFile) -> tuple[int, str]:
    """How many bytes of an endless line were read and dropped, and the damage that this came upon, or ""."""
    try:
        return file.drop_line(), ""
    except DAMAGED as error:
        return 0, damage(error)


def damage(error: Exception) -> str:
    """What a damaged archive is called. Raises the error where it is one of the disk."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    return f"damaged_file: {error}"
