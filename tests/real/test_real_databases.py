"""queue_log as a table of a real PostgreSQL and a real MariaDB, followed while it grows.

Two connections insert, one of which commits late; the server is killed, and the reader too. What is told is
what the files of the same recording tell.
"""

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from support.fetching import fetched, folder_of
from support.recorded_asterisk import BERLIN, SECRET, last_words, queue_log, table_rows

from adapters.asterisk.rows import FollowingRows
from adapters.kit.contract import refused_of
from adapters.kit.options import SourceOptions, use
from adapters.kit.outcomes import LineOutcome, WrongFile
from deploy.local.ports import free_port

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("source_options")]
NAMES = "time, callid, queuename, agent, event, data1, data2, data3, data4, data5"
LATE_S = 0.15  # from inserting to committing, of one in 40 groups of rows
LIMIT_S = 60.0
OWNER = "nobody"  # PostgreSQL does not run as root


@dataclass
class Server:
    """A server of the test's own; `create` is the table as Asterisk's contrib/realtime makes it."""

    command: list[str]
    address: str
    connect: Callable[[], Any]
    create: str

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                self.connect().close()
                return
            except Exception:
                assert self.process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def driver_of(name: str, requirement: str) -> Any:
    """A driver, fetched where it is not installed."""
    if importlib.util.find_spec(name) is None:
        folder = folder_of(f"driver-{name}", {})
        fetched(sys.executable, "-m", "pip", "install", "-q", "--target", "lib", requirement, folder=folder)
        sys.path.append(str(folder / "lib"))
    return importlib.import_module(name)


def as_owner(folder: Path) -> list[str]:
    """What runs a command as the owner of a folder."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, OWNER)
    return ["setpriv", f"--reuid={OWNER}", "--clear-groups"]


def postgresql(folder: Path) -> Server:
    driver = driver_of("psycopg", "psycopg[binary]>=3.2,<4")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not programs:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    port, run, data = free_port(), as_owner(folder), folder / "data"
    init = [str(programs[-1].with_name("initdb")), "-D", str(data), "-U", "ringback", "-A", "trust", "-N"]
    subprocess.run([*run, *init, "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/")
    command = [*run, str(programs[-1]), "-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1"]
    return Server(
        command,
        f"postgresql://ringback@127.0.0.1:{port}/postgres",
        lambda: driver.connect(f"host=127.0.0.1 port={port} user=ringback dbname=postgres"),
        "CREATE TABLE queue_log (id bigserial PRIMARY KEY, time timestamp, callid varchar(80), "
        "queuename varchar(256), agent varchar(80), event varchar(32), data1 varchar(100), "
        "data2 varchar(100), data3 varchar(100), data4 varchar(100), data5 varchar(100))",
    )


def mariadb(folder: Path) -> Server:
    driver = driver_of("pymysql", "pymysql>=1.1,<2")
    if shutil.which("mariadbd") is None or shutil.which("my_print_defaults") is None:
        pytest.skip("no MariaDB on this machine: apt-get install mariadb-server")
    port, data = free_port(), folder / "data"
    own = ["--no-defaults", f"--datadir={data}", f"--user={'root' if os.geteuid() == 0 else ''}"]
    make = ["mariadb-install-db", *own, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(make, check=True, capture_output=True)
    here = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 's'}", "--skip-log-bin"]
    given = {"host": "127.0.0.1", "port": port, "user": "root"}
    return Server(
        ["mariadbd", *own, *here],
        f"mysql://root@127.0.0.1:{port}/asterisk",
        lambda: driver.connect(**given),
        "CREATE TABLE asterisk.queue_log (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, "
        "time char(26), callid varchar(80), queuename varchar(256), agent varchar(80), event varchar(32), "
        "data1 varchar(100), data2 varchar(100), data3 varchar(100), data4 varchar(100), data5 varchar(100))",
    )


MAKE = {"postgresql": postgresql, "mariadb": mariadb}


@pytest.fixture(scope="module", params=MAKE)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with TemporaryDirectory(prefix="ringback-table-") as folder:  # others may enter it
        yield from running(request.param, Path(folder))


def running(kind: str, folder: Path) -> Iterator[Server]:
    made = MAKE[kind](folder)
    made.start()
    try:
        with made.connect() as connection, connection.cursor() as cursor:
            if kind == "mariadb":
                cursor.execute("CREATE DATABASE asterisk")
            cursor.execute(made.create)
            connection.commit()
        yield made
    finally:
        made.kill()


def insert(server: Server, groups: list[list[list[str]]], rng: random.Random) -> None:
    """Insert groups of rows in order; now and then a row takes its id and is committed after later ones."""
    table = "asterisk.queue_log" if "mysql" in server.address else "queue_log"
    query = f"INSERT INTO {table} ({NAMES}) VALUES ({', '.join(['%s'] * 10)})"
    first, second = server.connect(), server.connect()
    for group in groups:
        late = rng.random() < 1 / 40
        with first.cursor() as cursor:
            cursor.execute(query, group[0])
        if not late:
            first.commit()
        with second.cursor() as cursor:
            cursor.executemany(query, group[1:])
        second.commit()
        if late:
            time.sleep(LATE_S)
            first.commit()
    first.close()
    second.close()


def follow(server: Server, kept: Path, over: threading.Event, found: list[LineOutcome], seed: int) -> None:
    """Read until all has come, killed now and then: what was not kept is read again."""
    rng, reader = random.Random(seed), None
    while True:
        last = over.is_set()
        if reader is None:
            with suppress(WrongFile):  # the server is away
                reader = FollowingRows(server.address, kept, SECRET, hole_s=3 * LATE_S)
        if reader is not None:
            told = list(reader.poll())
            found += told
            if rng.random() < 0.7:
                reader.keep()
            if rng.random() < 0.1:
                reader.close()
                reader = None
            elif last and not told:
                return
        time.sleep(0.02)


def test_a_table_of_a_server_tells_what_the_files_tell(server: Server, tmp_path: Path) -> None:
    use(SourceOptions(queue_log_zone=BERLIN))
    rows, rng = table_rows(), random.Random(1)
    groups = [rows[begin : begin + 20] for begin in range(0, len(rows), 20)]
    found: list[LineOutcome] = []
    over = threading.Event()
    following = threading.Thread(target=follow, args=(server, tmp_path / "kept.json", over, found, 1))
    following.start()
    try:
        insert(server, groups[: len(groups) // 2], rng)
        server.kill()
        time.sleep(0.3)
        server.start()
        insert(server, groups[len(groups) // 2 :], rng)
    finally:
        over.set()
        following.join(LIMIT_S)
    assert not following.is_alive()
    assert refused_of(found) == []
    assert last_words(found) == last_words(queue_log())


def test_what_cannot_be_read_is_said(server: Server, tmp_path: Path) -> None:
    use(SourceOptions(queue_log_zone=BERLIN))
    for wrong, said in (
        (f"{server.address}?table=calls", "cannot be read as a database"),
        (f"{server.address}?table=a;b", "table= is no name of a table"),
        (server.address.replace("127.0.0.1:", "127.0.0.1:1"), "cannot be read as a database|no address"),
    ):
        with pytest.raises(WrongFile, match=said) as caught:
            FollowingRows(wrong.replace("@", ":secret-word@", 1), tmp_path / "kept.json", SECRET)
        assert "secret-word" not in str(caught.value)
