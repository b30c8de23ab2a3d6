"""Imports that go wrong: Ctrl-C anywhere, damaged archives, folders, files full of garbage, weak secrets."""

import asyncio
import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from support.command import ringback

from adapters.events.json_lines import read_events
from adapters.kit.contract import events_of, refused_of
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import WrongFile
from adapters.sending import file_import
from adapters.sending.file_import import Interrupted, import_file
from adapters.sending.progress_bar import ImportProgress
from deploy.local.data_dir import make_private
from deploy.local.errors import LocalStackError

QUIET = ImportProgress(Console(file=io.StringIO(), force_terminal=False))
READER = partial(read_events, secret=b"k" * 16)
SECRET = {"RINGBACK_CUSTOMER_KEY_SECRET": "k" * 16}


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def line(number: int) -> bytes:
    fields = {"type": "contact_started", "event_id": "s", "contact_id": f"c{number}", "source": "s"}
    return json.dumps(fields | {"occurred_at": 1_767_571_200_000 + number}).encode()


class Taking:
    """Takes everything; a flush may hang as with a Kafka that is away."""

    def __init__(self, hangs: bool = False) -> None:
        self.events, self.letters, self.hangs = 0, 0, hangs

    async def send_canonical(self, record: object) -> None:
        self.events += 1
        if self.hangs:
            await asyncio.sleep(60)

    async def send_dead_letter(self, refused: object) -> None:
        self.letters += 1

    async def flush(self) -> dict[tuple[str, int], int]:
        if self.hangs:
            await asyncio.sleep(60)
        return {}


def struck(path: Path, sender: Taking) -> Interrupted:
    """What an import ends with that Ctrl-C strikes after half a second."""
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(Interrupted) as ended:
        asyncio.run(import_file(path, READER, sender, QUIET))
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return ended.value


@pytest.mark.parametrize("lines", [0, 1])
def test_ctrl_c_ends_an_import_that_waits_on_a_pipe(tmp_path: Path, lines: int) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    try:
        os.write(end, b"".join(line(n) + b"\n" for n in range(lines)))
        assert struck(pipe, Taking()).result.sent == lines
    finally:
        os.close(end)


def test_ctrl_c_ends_an_import_whose_pipe_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert struck(tmp_path / "pipe", Taking()).result.sent == 0


def test_ctrl_c_ends_an_import_of_a_line_without_end() -> None:
    struck(Path("/dev/zero"), Taking())


def test_ctrl_c_ends_an_import_while_kafka_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_import, "GRACE_S", 0.3)
    (tmp_path / "x.jsonl").write_bytes(line(1))
    struck(tmp_path / "x.jsonl", Taking(hangs=True))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", [0.5, 0.9])
def test_a_damaged_archive_gives_what_was_before_the_damage_and_a_dead_letter(
    tmp_path: Path, method: int, place: float
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("x.jsonl", b"\n".join(line(n * 7919 % 100_003) for n in range(40_000)))
    data = bytearray(packed.getvalue())
    middle = int(len(data) * place)
    data[middle : middle + 64] = b"\xff" * 64
    (tmp_path / "x.zip").write_bytes(data)
    sender = Taking()
    result = asyncio.run(import_file(tmp_path / "x.zip", READER, sender, QUIET))
    assert result.dead_letters >= 1
    with open_lines(tmp_path / "x.zip") as file:
        outcomes = [*READER(file)]
    assert refused_of(outcomes)[-1].reason == "damaged_file"
    assert len([*events_of(outcomes)]) == result.sent + result.duplicates < 40_000


def test_a_file_full_of_garbage_ends_the_import_soon(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join([line(1)] * 3 + [b'{"x":' + b"7" * 900] * 30_000))
    sender = Taking()
    with pytest.raises(WrongFile, match=r"more than half of 10,000 lines .* 1 events of it are sent"):
        asyncio.run(import_file(path, READER, sender, QUIET))
    assert sender.letters == 5_000


def test_a_file_of_which_a_little_is_garbage_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(b"{" if n % 3 == 0 else line(n) for n in range(30_000)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_import, "REFUSED_LINES", 1_000)
        result = asyncio.run(import_file(path, READER, Taking(), QUIET))
    assert (result.dead_letters, result.sent) == (10_000, 20_000)


def test_a_folder_among_the_files_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(line(1))
    (tmp_path / "folder").mkdir()
    done = ringback("import", "events", "x.jsonl", "folder", **SECRET)
    assert (done.status, done.stdout) == (2, "")
    assert "folder is a folder" in done.stderr


@pytest.mark.parametrize("secret", ["", "a", "k" * 15])
def test_a_weak_secret_is_refused(tmp_path: Path, secret: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(line(1))
    done = ringback("import", "events", "x.jsonl", RINGBACK_CUSTOMER_KEY_SECRET=secret)
    assert done.status == 2
    assert "openssl rand -hex 32" in done.stderr


def key_file(kind: str, path: Path) -> None:
    """A key of customers that cannot be used."""
    path.parent.mkdir()
    match kind:
        case "empty":
            path.write_text(" \n")
        case "binary":
            path.write_bytes(b"\xff" * 40)
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to("nowhere")
        case "short":
            path.write_text("abc")


@pytest.mark.parametrize("kind", ["empty", "binary", "folder", "dangling", "short"])
def test_a_key_that_cannot_be_used_is_said(tmp_path: Path, kind: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(line(1))
    key_file(kind, tmp_path / "ringback-data" / "customer-key")
    done = ringback("import", "events", "x.jsonl")
    assert done.status == 2
    assert "customer-key" in done.stderr.replace("\n", "")
    assert len(done.stderr.splitlines()) == 1


def test_key_and_data_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "ringback-data"
    folder.mkdir(mode=0o755)
    (tmp_path / "x.jsonl").write_bytes(line(1))
    assert ringback("adapter", "try", "events", "x.jsonl").status == 0
    key = folder / "customer-key"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, key)] == [0o700, 0o600]
    key.chmod(0o644)
    assert ringback("adapter", "try", "events", "x.jsonl").status == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_data_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, said in ((tmp_path / "file", "no folder"), (tmp_path / "file" / "x", "Not a directory")):
        with pytest.raises(LocalStackError, match=said):
            make_private(folder)


def test_a_module_in_the_working_folder_is_not_run(tmp_path: Path) -> None:
    """M6: what `up` starts must not import an orjson.py that lies about."""
    from cli.settings import Settings
    from cli.stack import ringback_service
    from deploy.local import child

    (tmp_path / "orjson.py").write_text("raise SystemExit('run')")
    started: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child.subprocess, "Popen", lambda argv, **_: started.append(argv))
        ringback_service(Settings(), "worker", "worker-1", 1).start()
    argv = started[0][started[0].index(sys.executable, 1) :]
    help_ = subprocess.run([*argv, "--help"], capture_output=True, text=True, check=False, timeout=60)
    assert "Run one stream worker" in help_.stdout + help_.stderr
