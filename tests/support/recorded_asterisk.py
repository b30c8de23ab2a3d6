"""The recording of a real Asterisk in tests/data/asterisk, read by the sources."""

import lzma
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from support.telephone_truth import Truth, calls_of

from adapters.asterisk.file import QueueLog, in_order
from adapters.asterisk_ami.file import AmiFile
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import LineOutcome
from adapters.kit.source import Reader

RECORDED = Path(__file__).parents[1] / "data" / "asterisk"
SECRET = b"samples"
ANSWER_WAITS_S = 0.5  # Asterisk's Answer(), for the caller's sound


def unpacked(folder: Path, names: str) -> list[str]:
    """Files of the recording, unpacked into a folder."""
    for packed in RECORDED.glob(names):
        (folder / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
    return [str(path) for path in folder.iterdir()]


def read_files(reader: Reader, paths: Iterable[str]) -> tuple[LineOutcome, ...]:
    """The outcomes of files, one after the other."""
    found: list[LineOutcome] = []
    for path in paths:
        with open_lines(path) as file:
            found += reader(file, SECRET)
    return tuple(found)


@cache
def queue_log() -> tuple[LineOutcome, ...]:
    """The outcomes of the five files of the queue_log."""
    with TemporaryDirectory() as folder:
        return read_files(QueueLog(), in_order(unpacked(Path(folder), "queue_log*.xz")))


@cache
def ami() -> tuple[LineOutcome, ...]:
    """The outcomes of the AMI session."""
    with TemporaryDirectory() as folder:
        return read_files(AmiFile(), unpacked(Path(folder), "ami.raw.xz"))


@cache
def truths() -> tuple[Truth, ...]:
    """What the driver knew of the calls."""
    return tuple(calls_of(RECORDED / "truth.jsonl.xz", ANSWER_WAITS_S))
