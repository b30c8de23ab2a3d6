"""The recording of a real Asterisk in tests/data/asterisk, read by the sources."""

import lzma
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from support.telephone_truth import Truth, calls_of

from adapters.asterisk.file import QueueLog, in_order
from adapters.asterisk.lines import event_place
from adapters.asterisk_ami.file import AmiFile
from adapters.kit.contract import events_of
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import LineOutcome
from adapters.kit.source import Reader
from schemas.events import Event

RECORDED = Path(__file__).parents[1] / "data" / "asterisk"
MORE = RECORDED / "more"  # a second recording, of kinds of calls that the first has not
SECRET = b"samples"
BERLIN = ZoneInfo("Europe/Berlin")  # of the table's times
ANSWER_WAITS_S = 0.5  # Asterisk's Answer(), for the caller's sound


def unpacked(folder: Path, names: str, recorded: Path = RECORDED) -> list[str]:
    """Files of a recording, unpacked into a folder."""
    for packed in recorded.glob(names):
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
def queue_log(recorded: Path = RECORDED) -> tuple[LineOutcome, ...]:
    """The outcomes of the files of the queue_log."""
    with TemporaryDirectory() as folder:
        return read_files(QueueLog(), in_order(unpacked(Path(folder), "queue_log*.xz", recorded)))


@cache
def ami(recorded: Path = RECORDED) -> tuple[LineOutcome, ...]:
    """The outcomes of the AMI session."""
    with TemporaryDirectory() as folder:
        return read_files(AmiFile(), unpacked(Path(folder), "ami.raw.xz", recorded))


@cache
def truths(recorded: Path = RECORDED) -> tuple[Truth, ...]:
    """What the driver knew of the calls."""
    return tuple(calls_of(recorded / "truth.jsonl.xz", ANSWER_WAITS_S))


def row_of(line: bytes) -> list[str]:
    """A line as Asterisk inserts it: local time, and what is beyond the fifth parameter in the fifth."""
    cells = line.decode("utf-8", "surrogateescape").split("|")
    place = event_place(cells)  # a member's name may hold the separator; in a table it is one cell
    named, params = [*cells[1:3], "|".join(cells[3:place]), cells[place]], cells[place + 1 :]
    params = [*params[:4], "|".join(params[4:])]
    local = datetime.fromtimestamp(int(cells[0]), UTC).astimezone(BERLIN)
    return [f"{local:%Y-%m-%d %H:%M:%S}.000000", *named, *params, *[""] * (5 - len(params))]


def table_rows() -> list[list[str]]:
    """The rows of the queue_log, as a table has them."""
    with TemporaryDirectory() as folder:
        files = in_order(unpacked(Path(folder), "queue_log*.xz"))
        return [row_of(line) for file in files for line in Path(file).read_bytes().splitlines()]


def last_words(outcomes: Iterable[LineOutcome]) -> dict[tuple[str, str], Event]:
    """The last word on each event."""
    found = sorted(events_of(outcomes), key=lambda event: event.revision)
    return {(getattr(event, "contact_id", ""), event.event_id): event for event in found}
