"""A large file in parts and in several processes gives what it gives in one, in the same order."""

import asyncio
import gzip
import io
import json
import os
import random
import signal
import zipfile
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from adapters.bank.file import read_bank
from adapters.events.json_lines import read_events
from adapters.kit import line_parts
from adapters.kit import lines as line_files
from adapters.kit.line_parts import PartFile, parts_of
from adapters.kit.lines import Line, LineFile, open_lines
from adapters.kit.outcomes import LineOutcome, WrongFile
from adapters.sending import line_workers
from adapters.sending.file_import import ImportResult, Interrupted, import_file
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.records import OutgoingRecord
from schemas.dead_letter import DeadLetter

QUIET = ImportProgress(Console(file=io.StringIO(), force_terminal=False))
EVENTS = partial(read_events, secret=b"k" * 16)


def whole(file: LineFile) -> list[Line]:
    return [*file]


def in_parts(file: LineFile) -> list[Line]:
    return [line for part in parts_of(file) for line in PartFile(file.name, part, False)]


@given(st.binary(), st.integers(1, 40), st.integers(1, 30), st.integers(1, 30))
@example(b"a\n" + b"x" * 90 + b"\nb\n" + b"y" * 90, 10, 7, 20)
def test_parts_have_the_lines_of_the_whole(data: bytes, part: int, piece: int, longest: int) -> None:
    """Line ends of all kinds, empty lines, lines without end and too long ones."""
    data = data.replace(b"\x07", b"\n").replace(b"\x08", b"\n")
    with pytest.MonkeyPatch.context() as patch:
        for module in (line_files, line_parts):
            patch.setattr(module, "LINE_MAX_BYTES", longest)
        patch.setattr(line_parts, "PART_BYTES", part)
        patch.setattr(line_parts, "READ_BYTES", piece)

        def opened() -> LineFile:
            return LineFile("x", io.BufferedReader(io.BytesIO(data)), len(data))

        try:
            expected = whole(opened())
        except WrongFile:
            return
        assert in_parts(opened()) == expected


def lines(count: int) -> bytes:
    def one(number: int) -> bytes:
        fields = {"type": "contact_started", "event_id": "s", "contact_id": f"c{number * 7919 % 100_003}"}
        return json.dumps(fields | {"source": "s", "occurred_at": 1_767_571_200_000 + number}).encode()

    return b"\n".join(map(one, range(count)))


@pytest.mark.parametrize("place", [0.4, 0.9])
@pytest.mark.parametrize("packing", ["gzip", "cut gzip", "deflate", "bz2", "lzma"])
def test_what_is_before_a_damage_is_the_same(tmp_path: Path, packing: str, place: float) -> None:
    path, packed = tmp_path / "x", io.BytesIO()
    if "gzip" in packing:
        packed.write(gzip.compress(lines(8_000)))
    else:
        methods = {"deflate": zipfile.ZIP_DEFLATED, "bz2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}
        with zipfile.ZipFile(packed, "w", methods[packing]) as archive:
            archive.writestr("x.jsonl", lines(8_000))
    data = bytearray(packed.getvalue())
    middle = int(len(data) * place)
    if packing == "cut gzip":
        del data[middle:]
    else:
        data[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(data)
    with open_lines(path) as file:
        expected = whole(file)
    with open_lines(path) as file:
        assert in_parts(file) == expected
    assert expected[-1].problem.startswith("damaged_file")


class Kept:
    """Takes what is sent, in order; after so many events it does something."""

    def __init__(self, after: int = -1, then: object = None) -> None:
        self.sent: list[OutgoingRecord | DeadLetter] = []
        self._after, self._then = after, then

    async def send_canonical(self, record: OutgoingRecord) -> None:
        self.sent.append(record)
        if len(self.sent) == self._after and callable(self._then):
            self._then()

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        self.sent.append(refused)

    async def flush(self) -> dict[tuple[str, int], int]:
        return {}


def imported(path: Path, reader: line_workers.Reader, apart: bool, sender: Kept) -> ImportResult:
    return asyncio.run(import_file(path, reader, sender, QUIET, apart=apart))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_workers, "LARGE_BYTES", 1)
    monkeypatch.setattr(line_parts, "PART_BYTES", 20_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def kill_one() -> None:
    os.kill(active_children()[0].pid or 0, signal.SIGKILL)


@pytest.mark.usefixtures("small_parts")
def test_processes_send_the_same_in_the_same_order(tmp_path: Path) -> None:
    """Also where one of them is killed in the middle."""
    found = lines(4_000).split(b"\n")
    for place in random.Random(7).sample(range(1, 4_000), 300):
        found[place] = random.Random(place).choice([b"{", found[0], b"", b'{"type":"contact_x"}'])
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(found))
    one, several = Kept(), Kept(1_000, kill_one)
    result = imported(tmp_path / "x.jsonl", EVENTS, False, one)
    assert imported(tmp_path / "x.jsonl", EVENTS, True, several) == result
    assert several.sent == one.sent
    assert min(result.duplicates, result.dead_letters) > 20
    assert not active_children()


@pytest.mark.usefixtures("small_parts")
def test_a_wrong_file_sends_nothing_by_processes_either(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\n" * 50_000 + b"name\n" * 9_000)
    sender = Kept()
    with pytest.raises(WrongFile, match="its first line is no JSON object"):
        imported(tmp_path / "x", EVENTS, True, sender)
    assert not sender.sent
    assert not active_children()


@pytest.mark.usefixtures("small_parts")
def test_ctrl_c_ends_the_processes(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(lines(5_000))
    sender = Kept(500, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted, match="run the same command again"):
        imported(tmp_path / "x.jsonl", EVENTS, True, sender)
    assert 500 <= len(sender.sent) < 5_000
    assert not active_children()


def test_small_files_pipes_and_one_cpu_are_read_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for cpus, expected in (({0}, 0), ({0, 1}, 2), ({*range(64)}, 4)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cpus=cpus: cpus, raising=False)
        assert line_workers.processes_for(10**9) == expected
        assert (line_workers.processes_for(None), line_workers.processes_for(1_000)) == (0, 0)


def test_a_header_is_asked_for_in_the_first_part_alone() -> None:
    part = line_parts.Part(7, b"no header\n", begun=True)
    found: list[LineOutcome] = [*read_bank(PartFile("x", part, False), b"k" * 16)]
    assert [outcome.position for outcome in found] == [7]
    with pytest.raises(WrongFile):
        [*read_bank(PartFile("x", line_parts.Part(1, b"no header\n", begun=False), False), b"k" * 16)]
