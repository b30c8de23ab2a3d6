"""How hard to fuzz and with which seed (`make fuzz`), damage to bytes, and a watch that ends what hangs."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COUNT = int(os.environ.get("RINGBACK_FUZZ", "1500"))
SEED = int(os.environ.get("RINGBACK_FUZZ_SEED", "20261127"))
BATCH = 250
PLANTED = "7778881999"  # a customer's number; its first seven digits tell, since damage cuts it
TELLTALE = PLANTED[:7]
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


class Hangs(AssertionError):
    """Something took far longer than it may."""


@contextmanager
def within(seconds: int, what: str) -> Iterator[None]:
    """Raises Hangs where the block takes longer."""

    def strike(_number: int, _frame: object) -> None:
        raise Hangs(f"{what} took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


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
    other = line.decode("latin-1").encode(rng.choice(ENCODINGS), "replace")
    return other.replace(b"\n", b"").replace(b"\r", b"")


def recase(rng: random.Random, line: bytes) -> bytes:
    return rng.choice((line.upper, line.lower, line.title))()


DAMAGES: tuple[Damage, ...] = (flip, insert, drop, cut, swap, double, recode, recase)


def damaged(rng: random.Random, line: bytes) -> bytes:
    """Bytes with one to four damages."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        line = rng.choice(DAMAGES)(rng, line) if line else line
    return line
