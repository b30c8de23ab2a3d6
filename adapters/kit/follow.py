"""Following a log file while a program writes it, across rotations, with a position that survives restarts.

A file is known by its device, its inode and its first line, whatever its name is: renamed, copied and cut
to nothing (copytruncate), packed by gzip or bzip2, several times while nobody looked. The position is the
end of the last whole line. Nothing is asked of the operating system but to read: the file is polled, since
notifications do not come from network file systems.
"""

import bz2
import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

LINE_MAX_BYTES = 1_000_000
GZIP, BZIP2 = b"\x1f\x8b", b"BZ"
HASH_BYTES = 12
FIRST_BYTES = 16_384  # a first line is shorter; Asterisk cuts lines at 8,192
BATCH = 1_000
TimeOf = Callable[[bytes], int | None]


@dataclass(frozen=True, slots=True)
class Position:
    """How far was read: in which file, of which first line at which time, behind which line."""

    device: int
    inode: int
    first: str
    time: int
    offset: int
    line: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the log as it lies there now: the live one, or a rotated one."""

    path: Path
    device: int
    inode: int
    modified_ns: int
    first: str
    time: int

    @property
    def order(self) -> tuple[int, int]:
        """Older files first: by their first line, whatever number the name has."""
        return self.time, self.modified_ns


def hashed(line: bytes) -> str:
    """A short name for a line."""
    return hashlib.blake2b(line, digest_size=HASH_BYTES).hexdigest()


def open_stored(path: Path) -> IO[bytes]:
    """A file, unpacked."""
    file = path.open("rb")
    begin = file.peek(2)[:2]
    if begin == GZIP:
        return cast(IO[bytes], gzip.open(file, "rb"))
    return bz2.open(file, "rb") if begin == BZIP2 else file


def look(path: Path, time_of: TimeOf) -> Stored | None:
    """What lies there; None while it has no whole first line that tells a time."""
    try:
        with open_stored(path) as file:
            line = file.readline(LINE_MAX_BYTES)
            status = os.stat(path)
    except (OSError, EOFError):
        return None
    time = time_of(line) if line.endswith(b"\n") else None
    if time is None:
        return None
    return Stored(path, status.st_dev, status.st_ino, status.st_mtime_ns, hashed(line), time)


class Follower:
    """Whole lines of a log as they come. `gaps` counts how often lines were lost: their file was gone."""

    def __init__(self, path: Path, time_of: TimeOf, position: Position | None = None) -> None:
        self.path = path
        self.position = position
        self.gaps = 0
        self._time_of = time_of
        self._file: IO[bytes] | None = None
        self._now: Stored | None = None
        self._over = False  # another file is the live one, so nothing more comes into this one

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
        self._file = None

    def poll(self) -> Iterator[bytes]:
        """The lines that are there, without their ends; `position` is behind the one just given."""
        while self._file or self._begin():
            yield from self._drain()
            if not self._go_on():
                return

    def _family(self) -> list[Stored]:
        """The files of the log, the oldest first."""
        found = (
            look(path, self._time_of)
            for path in self.path.parent.glob(f"{self.path.name}*")
            if path.is_file() and path.name[len(self.path.name) :][:1] in ("", ".", "-", "_")
        )
        return sorted((stored for stored in found if stored), key=lambda stored: stored.order)

    def _begin(self) -> bool:
        """Open the file in which to read: where it was left, or the oldest."""
        family = self._family()
        if self.position is None:
            return bool(family) and self._open(family[0], 0, "")
        at = self.position
        same = [stored for stored in family if stored.first == at.first]
        same.sort(key=lambda stored: (stored.device, stored.inode) != (at.device, at.inode))
        if any(self._open(stored, at.offset, at.line) for stored in same):
            return True
        later = [stored for stored in family if stored.time > at.time or stored.first == at.first]
        self.gaps += bool(later)
        return bool(later) and self._open(later[0], 0, "")

    def _open(self, stored: Stored, offset: int, line: str) -> bool:
        """Open a file behind a line; False where that line is not there."""
        file = open_stored(stored.path)
        if not skip(file, offset, line):
            file.close()
            return False
        self.close()
        self._file, self._now, self._over = file, stored, False
        self._place(offset, line)
        return True

    def _place(self, offset: int, line: str) -> None:
        assert self._now is not None
        now = self._now
        self.position = Position(now.device, now.inode, now.first, now.time, offset, line)

    def _drain(self) -> Iterator[bytes]:
        """The whole lines to the end; of a file that is over, what is left without an end as well."""
        while self._file and self.position and (lines := self._read(self.position.offset)):
            if not self._still():
                return  # it was cut and has grown again: these lines are of what came after
            offset = self.position.offset
            for line in lines:
                offset += len(line)
                self._place(offset, hashed(line))
                yield line.rstrip(b"\r\n")

    def _read(self, offset: int) -> list[bytes]:
        """The next lines; the file stays behind the last whole one."""
        assert self._file is not None
        lines: list[bytes] = []
        if self._file.tell() != offset:  # whoever took the lines before did not take all of them
            self._file.seek(offset)
        while len(lines) < BATCH:
            try:
                line = self._file.readline(LINE_MAX_BYTES)
            except EOFError:  # a packed file that is still being written
                break
            if not (line.endswith(b"\n") or len(line) == LINE_MAX_BYTES or (line and self._over)):
                if line:
                    self._file.seek(offset + sum(map(len, lines)))
                break
            lines.append(line)
        return lines

    def _still(self) -> bool:
        """Does the open file begin with the line that it began with?"""
        assert self._file is not None
        assert self._now is not None
        if not isinstance(self._file, io.BufferedReader):
            return True
        begin = os.pread(self._file.fileno(), FIRST_BYTES, 0)
        return hashed(begin[: begin.find(b"\n") + 1]) == self._now.first

    def _go_on(self) -> bool:
        """Is there more to read: the rest of this file, or another one?"""
        assert self._now is not None
        assert self.position is not None
        now, at = self._now, self.position
        live = look(self.path, self._time_of)
        if self._is_live(now):
            if live is None and os.stat(self.path).st_size >= at.offset:
                return False
            if live and live.first == now.first and os.stat(self.path).st_size >= at.offset:
                return False
            return self._cut(live)
        family = [stored for stored in self._family() if stored.first != now.first]
        later = [stored for stored in family if stored.time >= now.time and stored.order > now.order]
        if not later:
            return False
        if not self._over:
            self._over = True  # what was written until it was renamed is read before the next one is opened
            return True
        return self._open(later[0], 0, "")

    def _is_live(self, now: Stored) -> bool:
        """Does the program still write into this very file?"""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (now.device, now.inode)

    def _cut(self, live: Stored | None) -> bool:
        """The file was copied and cut: the copy has what was written until then."""
        assert self.position is not None
        at = self.position
        copies = [
            stored for stored in self._family() if stored.first == at.first and stored.path != self.path
        ]
        if any(self._open(copy, at.offset, at.line) for copy in copies):
            return True
        if live is None:
            return False
        self.gaps += live.first != at.first
        return self._open(live, 0, "")


def skip(file: IO[bytes], offset: int, line: str) -> bool:
    """Go to a position; False where the file is shorter, or another line stands before it."""
    if not offset:
        return True
    start = max(offset - LINE_MAX_BYTES, 0)
    try:
        file.seek(start)
        before = file.read(offset - start)
    except (OSError, EOFError):
        return False
    if len(before) < offset - start:
        return False
    begin = before.rfind(b"\n", 0, len(before) - 1) + 1
    return hashed(before[begin:]) == line
