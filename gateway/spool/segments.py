"""The files of a spool: appended to one after the other, each deleted when Kafka has all of it.

One process has the folder. What an append wrote is cut away again when it fails: nobody was told that it is
there.
"""

import errno
import fcntl
import os
import re
from pathlib import Path

import structlog

from gateway.spool.frames import Frame, frames_in, is_torn, whole_until

log = structlog.get_logger()
SEGMENT = re.compile(r"(\d{12})\.spool")
SEGMENT_MAX_BYTES = 8 * 1024 * 1024


class SpoolInUse(OSError):
    """Another process has the folder."""


class Segments:
    """The segments of a folder. Raises SpoolInUse, OSError.

    One thread at a time, but for `size` and `names`.
    """

    def __init__(self, folder: Path, segment_max_bytes: int = SEGMENT_MAX_BYTES) -> None:
        self.folder = folder
        self._max_bytes = segment_max_bytes
        self.cut_bytes = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise SpoolInUse(errno.EAGAIN, "in use by another gateway", str(folder)) from None
        self.sizes = {path.name: self._mend(path) for path in sorted(folder.iterdir()) if self._is(path)}
        for name in [name for name, size in self.sizes.items() if not size]:
            (folder / name).unlink()
            del self.sizes[name]
        self._file: int | None = None
        self._name = ""
        self._next = 1 + max((int(name[:12]) for name in self.sizes), default=0)

    @staticmethod
    def _is(path: Path) -> bool:
        return bool(SEGMENT.fullmatch(path.name))

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(list(self.sizes.values()))

    def names(self) -> list[str]:
        """Segments that hold something, the oldest first."""
        return sorted(name for name, size in list(self.sizes.items()) if size)

    def append(self, data: bytes) -> None:
        """Write frames and return when the disk has them. Raises OSError; then nothing of them is there."""
        if self._file is None or self.sizes[self._name] >= self._max_bytes:
            self._begin()
        assert self._file is not None
        size = self.sizes[self._name]
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            self._give_up(size)
            raise
        self.sizes[self._name] = size + len(data)

    def read(self, name: str) -> list[Frame]:
        """The records of a segment. Raises OSError."""
        return list(frames_in((self.folder / name).read_bytes()[: self.sizes[name]]))

    def seal(self, name: str) -> None:
        """Append no more to this segment."""
        if name == self._name:
            self._end()

    def delete(self, name: str) -> None:
        """Kafka has all of it. Raises OSError."""
        self.seal(name)
        (self.folder / name).unlink(missing_ok=True)
        self.sizes.pop(name, None)

    def close(self) -> None:
        """Let go of the folder."""
        self._end()
        os.close(self._lock)

    def _begin(self) -> None:
        """A new segment, whose name is on the disk before anything relies on it."""
        self._end()
        name = f"{self._next:012}.spool"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self.folder / name, flags, 0o600)
        self._name, self._next = name, self._next + 1
        self.sizes[name] = 0
        sync_folder(self.folder)

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._name = None, ""

    def _give_up(self, size: int) -> None:
        """Cut away what a failed append wrote. After a failed sync nobody knows what the disk has: go on in a
        new file. One that holds nothing goes, so that a full disk is not filled with empty ones."""
        assert self._file is not None
        name = self._name
        try:
            os.ftruncate(self._file, size)
        finally:
            self._end()
        if not size:
            self.delete(name)

    def _mend(self, path: Path) -> int:
        """The size of a segment without its torn end, which is cut away; damage is kept beside it."""
        data = path.read_bytes()
        end = whole_until(data)
        if end == len(data):
            return end
        if not is_torn(data, end):
            kept = path.with_suffix(".damaged")
            kept.write_bytes(data[end:])
            log.error("spool segment damaged", kept=str(kept), bytes=len(data) - end)
        self.cut_bytes += len(data) - end
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        return end


def sync_folder(folder: Path) -> None:
    """Have the disk know a folder's names. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
