"""JSON values of a file, however they are written: one a line, over several lines, or one behind the other.

A list on the outside is taken apart unless it is one line, so it may be of any length. A value that was cut
(a line break inside a text, or a new value at the beginning of a line) ends there, and the next one is read.
"""

import re
from collections.abc import Iterator

import orjson

from adapters.kit.lines import BYTE_ORDER_MARK, DAMAGED, LINE_MAX_BYTES, Line, LineFile
from schemas.dead_letter import PAYLOAD_MAX_BYTES

PIECE_BYTES = 64 * 1024
TOKEN = re.compile(rb'"(?:[^"\\\n]++|\\[^\n]|\\\Z)*+(?:"|\n)?|[{}\[\]]|\n(?=[{\[])|\n\Z')
BETWEEN = b" \t\r\n,[]"
BRACKETS = (b"{", b"[", b"}", b"]")


def whole(line: bytes) -> bool:
    """Is a line a JSON value?"""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


class Pieces:
    """The pieces of a file, as lines whose number is that of the line in which they begin."""

    def __init__(self, file: LineFile, piece_bytes: int = PIECE_BYTES) -> None:
        self._file, self._piece_bytes = file, piece_bytes
        self._buffer = b""
        self._line = 1
        self._ended = False
        self._problem = ""

    def _fill(self) -> bool:
        """Read on; False at the end of the file. A damaged archive ends there, with its problem."""
        if self._ended:
            return False
        try:
            data = self._file.read_piece(self._piece_bytes)
        except DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            self._problem, data = f"damaged_file: {error}", b""
        self._ended = not data
        self._buffer += data
        return bool(data)

    def _take(self, length: int) -> bytes:
        """The beginning of what was read; it is counted in lines."""
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        self._line += taken.count(b"\n")
        return taken

    def __iter__(self) -> Iterator[Line]:
        """All pieces, in order."""
        while self._fill() or self._buffer:
            piece = self._piece()
            if piece is not None:
                yield piece
        if self._problem:
            yield Line(self._line, b"", self._problem)

    def _piece(self) -> Line | None:
        """The next one; None where there is only white space yet."""
        if self._line == 1:
            self._buffer = self._buffer.removeprefix(BYTE_ORDER_MARK)
        while self._buffer[:1] == b"[" and b"\n" not in self._buffer and len(self._buffer) <= LINE_MAX_BYTES:
            if not self._fill():
                break
        end = self._buffer.find(b"\n") + 1 or (len(self._buffer) if self._ended else 0)
        if end and self._buffer[:1] in (b"{", b"[") and whole(self._buffer[:end]):
            return self._line_of(end)
        self._take(len(self._buffer) - len(self._buffer.lstrip(BETWEEN)))
        if not self._buffer:
            return None
        if not self._buffer.startswith(b"{"):
            return self._words()
        return self._value()

    def _line_of(self, length: int) -> Line:
        number = self._line
        return Line(number, self._take(length).rstrip(b"\r\n"))

    def _words(self) -> Line | None:
        """A line that begins no object: a form, or something that is refused."""
        while (end := self._buffer.find(b"\n") + 1) == 0 and len(self._buffer) <= LINE_MAX_BYTES:
            if not self._fill():
                return self._line_of(len(self._buffer))
        return self._line_of(end) if 0 < end <= LINE_MAX_BYTES else self._too_large()

    def _value(self) -> Line:
        """An object, up to its last bracket or to where it was cut."""
        depth = position = 0
        while True:
            for token in TOKEN.finditer(self._buffer, position):
                found = token[0]
                if token.end() == len(self._buffer) and not self._ended and found not in BRACKETS:
                    break  # it may go on
                position = token.end()
                if found in (b"{", b"["):
                    depth += 1
                elif found in (b"}", b"]"):
                    depth -= 1
                    if depth == 0:
                        return self._line_of(position)
                elif found[-1:] == b"\n" and (found != b"\n" or position < len(self._buffer)):
                    return self._line_of(position)
            if len(self._buffer) > LINE_MAX_BYTES:
                return self._too_large()
            if not self._fill():
                return self._line_of(len(self._buffer))

    def _too_large(self) -> Line:
        """What is longer than a value may be is left out up to the end of its line."""
        number, kept, length = self._line, self._buffer[:PAYLOAD_MAX_BYTES], 0
        while (end := self._buffer.find(b"\n") + 1) == 0:
            length += len(self._take(len(self._buffer)))
            if not self._fill():
                break
        length += len(self._take(end))
        return Line(number, kept, f"too_large: {length} bytes; a value has at most {LINE_MAX_BYTES}")
