"""Following a log: 200 seeded histories of a writer that rotates, and of a reader that is killed."""

import gzip
import os
import random
import shutil
from pathlib import Path

import pytest

from adapters.kit.follow import Follower, Position


def time_of(line: bytes) -> int | None:
    text = line.split(b"|", 1)[0]
    return int(text) if text.isdigit() else None


class Writer:
    """A program that writes a log, and logrotate. `expected` are the whole lines that were ever written."""

    def __init__(self, path: Path, rng: random.Random, copytruncate: bool, sequential: bool) -> None:
        self.path, self.rng = path, rng
        self.copytruncate, self.sequential = copytruncate, sequential
        self.expected: list[bytes] = []
        self.time, self.number, self.rotations = 1_767_600_000, 0, 0
        self.file = path.open("ab", buffering=0)

    def append(self) -> None:
        for _ in range(self.rng.randint(1, 5)):
            self.time += self.rng.randint(0, 2)
            self.number += 1
            line = b"%d|call-%d|" % (self.time, self.number) + b"x" * self.rng.randint(0, 40)
            self.expected.append(line)
            if self.rng.random() < 0.3:
                cut = self.rng.randrange(len(line))
                self.file.write(line[:cut])
                self.between()
                self.file.write(line[cut:] + b"\n")
            else:
                self.file.write(line + b"\n")

    def between(self) -> None:
        """What a test does while half a line stands there."""

    def rotated(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def rotate(self) -> None:
        """Rename or copy the file; the newest number is the highest or the lowest."""
        self.time += 1
        if self.path.stat().st_size == 0:
            return
        if self.sequential:
            target = self.rotated(self.rotations)
        else:
            target = self.rotated(1)
            for number in range(self.rotations, 0, -1):
                for end in ("", ".gz"):
                    old = self.path.with_name(f"{self.rotated(number).name}{end}")
                    if old.exists():
                        old.rename(self.path.with_name(f"{self.rotated(number + 1).name}{end}"))
        self.rotations += 1
        if self.copytruncate:
            shutil.copyfile(self.path, target)
            os.truncate(self.path, 0)
        else:
            self.path.rename(target)
            late = self.rng.random() < 0.3
            if late:
                self.append()  # the program has not opened the new file yet
            self.file.close()
            self.file = self.path.open("ab", buffering=0)
        if self.rng.random() < 0.4:
            with target.open("rb") as plain, gzip.open(f"{target}.gz", "wb") as packed:
                packed.write(plain.read())
            target.unlink()


class Reader:
    """A program that follows, and keeps what it read together with the position."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: list[bytes] = []
        self.position: Position | None = None
        self.gaps = 0
        self.follower = Follower(path, time_of)

    def poll(self, rng: random.Random) -> None:
        """Read; sometimes die in the middle of it, with what was not kept yet."""
        dies_after = rng.randint(0, 12) if rng.random() < 0.2 else None
        stops_after = rng.randint(0, 12) if rng.random() < 0.2 else None
        read: list[bytes] = []
        for line in self.follower.poll():
            read.append(line)
            if rng.random() < 0.3:
                self.keep(read)
            if dies_after is not None and len(read) >= dies_after:
                break
            if stops_after is not None and len(read) >= stops_after:
                self.keep(read)
                break
        else:
            self.keep(read)
        self.gaps += self.follower.gaps
        if dies_after is not None:
            self.follower.close()
            self.follower = Follower(self.path, time_of, self.position)

    def keep(self, read: list[bytes]) -> None:
        self.kept += read
        read.clear()
        self.position = self.follower.position


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "queue_log"
    writer = Writer(path, rng, copytruncate=seed % 4 == 0, sequential=seed % 2 == 1)
    reader = Reader(path)
    writer.between = lambda: reader.poll(rng)  # type: ignore[method-assign]
    for _ in range(60):
        step = rng.random()
        if step < 0.6:
            writer.append()
        elif step < 0.75:
            writer.rotate()
        if rng.random() < 0.5:
            reader.poll(rng)
    writer.append()
    while len(reader.kept) < len(writer.expected):
        before = reader.position
        reader.poll(random.Random(1))
        if reader.position == before:
            break
    assert reader.kept == writer.expected
    assert reader.gaps == 0
    assert writer.rotations > 0


def test_a_file_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(b"100|a\n101|b\n")
    follower = Follower(path, time_of)
    assert [*follower.poll()] == [b"100|a", b"101|b"]
    position = follower.position
    follower.close()
    path.write_bytes(b"200|c\n")
    again = Follower(path, time_of, position)
    assert [*again.poll()] == [b"200|c"]
    assert again.gaps == 1


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(b"100|a\n101|")
    follower = Follower(path, time_of)
    assert [*follower.poll()] == [b"100|a"]
    with path.open("ab") as file:
        file.write(b"b\n")
    assert [*follower.poll()] == [b"101|b"]
