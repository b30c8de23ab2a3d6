"""The embedded ClickHouse answers the unmodified clickhouse-connect client as a server would."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import fastavro
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from support.embedded import ask, credentials, driver, secret_files

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.errors import LocalStackError
from deploy.local.ports import free_port

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    server = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(clickhouse: LocalClickHouse) -> Iterator[Any]:
    connected = driver(clickhouse, database="ringback")
    yield connected
    connected.close()


@pytest.fixture
def table(client: Any, request: pytest.FixtureRequest) -> str:
    client.command("CREATE OR REPLACE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    return "t"


def post(
    server: LocalClickHouse, body: bytes | None, headers: dict[str, str] | None = None, **query: str
) -> tuple[int, Any, str]:
    """One raw request of our own user: status, headers, body. A body of None makes it a GET."""
    reply = ask(server, body, headers=headers, **query)
    return reply.status, reply.headers, reply.text


def count(client: Any) -> int:
    return int(client.command("SELECT count() FROM t"))


def test_connects_and_runs_commands(client: Any) -> None:
    assert client.ping()
    assert client.command("SELECT 1 + 1") == 2
    assert client.command("SELECT currentDatabase()") == "ringback"
    assert client.database == "ringback"


def test_rows_go_in_and_come_out(client: Any, table: str) -> None:
    summary = client.insert(table, [[1, "it's"], [2, "ü\n"]], column_names=["n", "s"])
    assert summary.written_rows == 2
    answer = client.query("SELECT * FROM t ORDER BY n")
    assert answer.result_rows == [(1, "it's"), (2, "ü\n")]
    assert answer.column_names == ("n", "s")


def test_an_empty_answer_has_columns(client: Any, table: str) -> None:
    answer = client.query("SELECT n, s AS text FROM t WHERE n = {n:UInt64}", parameters={"n": 7})
    assert answer.result_rows == []
    assert answer.column_names == ("n", "text")
    assert client.query_arrow("SELECT n FROM t").num_rows == 0


def test_parameters_are_bound_not_pasted(client: Any) -> None:
    nasty = "x'); DROP TABLE t; -- \\ \n\t ü"
    values = {"s": nasty, "n": 5, "a": [1, 2], "o": None}
    sql = "SELECT {s:String}, {n:UInt8}, {a:Array(UInt8)}, {o:Nullable(String)}"
    assert client.query(sql, parameters=values).result_rows == [(nasty, 5, [1, 2], None)]
    long = "y" * 200_000
    assert client.query("SELECT length({s:String})", parameters={"s": long}).result_rows == [(200_000,)]


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_every_row_arrives_whatever_the_compression(
    clickhouse: LocalClickHouse, table: str, client: Any, compress: str | bool
) -> None:
    """The driver sends each block as a compressed frame of its own; a one-frame decoder loses 84 464 rows."""
    rows = 150_000
    packed = driver(clickhouse, compress=compress)
    columns = [range(rows), [f"text {n}" for n in range(rows)]]
    summary = packed.insert("ringback.t", columns, column_names=["n", "s"], column_oriented=True)
    assert summary.written_rows == rows
    assert packed.query("SELECT count(), uniqExact(n), sum(n) FROM ringback.t").result_rows == [
        (rows, rows, rows * (rows - 1) // 2)
    ]
    fetched = packed.query("SELECT n, s FROM ringback.t ORDER BY n").result_columns
    assert list(fetched[0]) == list(range(rows))
    packed.close()


def test_arrow_both_ways(client: Any, table: str) -> None:
    words = pa.array(["a", "b", "a"]).dictionary_encode()
    summary = client.insert_arrow(table, pa.table({"n": pa.array([1, 2, 3], pa.uint64()), "s": words}))
    assert summary.written_rows == 3
    assert client.query_arrow("SELECT n FROM t ORDER BY n").to_pydict() == {"n": [1, 2, 3]}


def test_other_insert_formats(clickhouse: LocalClickHouse, client: Any, table: str) -> None:
    assert client.raw_insert(table, ["n", "s"], b'1,"a;b"\n2,c\n', fmt="CSV").written_rows == 2
    client.raw_insert(table, None, b'{"n": 3, "s": "x"}\n', fmt="JSONEachRow")
    client.raw_insert(table, ["n"], (4).to_bytes(8, "little"), fmt="RowBinary")
    client.command(
        "INSERT INTO t SETTINGS async_insert = 1 VALUES (5, 'v;'), ({n:UInt64} + 1, upper('w'));", {"n": 5}
    )
    avro = io.BytesIO()
    fields = [{"name": "n", "type": "long"}, {"name": "s", "type": "string"}]
    fastavro.writer(avro, {"type": "record", "name": "row", "fields": fields}, [{"n": 7, "s": "y"}])
    client.raw_insert(table, ["n", "s"], avro.getvalue(), fmt="Avro")
    assert post(clickhouse, b"INSERT INTO ringback.t (n) FORMAT TSV\n8\n")[0] == 200
    assert client.command("SELECT groupArray(n) FROM (SELECT n FROM t ORDER BY n)") == "[1,2,3,4,5,6,7,8]"
    assert client.command("SELECT s FROM t WHERE n = 1") == "a;b"
    client.command("INSERT INTO t SELECT n + 100, s FROM t")
    assert count(client) == 16


def test_summary_and_headers(clickhouse: LocalClickHouse, client: Any, table: str) -> None:
    client.command("CREATE OR REPLACE TABLE copy (n UInt64) ENGINE = MergeTree ORDER BY n")
    client.command("CREATE MATERIALIZED VIEW IF NOT EXISTS to_copy TO copy AS SELECT n FROM t")
    sql = "INSERT INTO ringback.t (n) FORMAT CSV"
    status, headers, _ = post(clickhouse, b"1\n2\n3\n", query=sql, query_id="mine", wait_end_of_query="1")
    client.command("DROP VIEW to_copy")
    summary = json.loads(headers["X-ClickHouse-Summary"])
    assert (status, headers["X-ClickHouse-Query-Id"]) == (200, "mine")
    assert (summary["read_rows"], summary["written_rows"]) == ("3", "6")  # a view's rows count as written
    _, headers, body = post(clickhouse, b"SELECT 1 AS a", default_format="JSONEachRow")
    assert (headers["X-ClickHouse-Format"], body) == ("JSONEachRow", '{"a":1}\n')
    assert headers["X-ClickHouse-Timezone"]


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT * FROM ringback.nope", 60, 404),
        ("SELECT * FROM nowhere.t", 81, 404),
        ("SELEC 1", 62, 400),
        ("SELECT 1; DROP TABLE ringback.t", 62, 400),
        ("INSERT INTO ringback.t VALUES (1, 'a'); INSERT INTO ringback.t VALUES (2, 'b')", 62, 400),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1 SETTINGS nope = 1", 115, 404),
        ("SELECT 1 /* a */ into\noutfile '{out}'", 344, 500),
        ("INSERT INTO ringback.t FROM -- x\n InFile '{out}' FORMAT CSV", 78, 404),
    ],
)
def test_errors_pass_through(
    clickhouse: LocalClickHouse, table: str, tmp_path: Path, sql: str, code: int, status: int
) -> None:
    out = tmp_path / "out"
    sql = sql.replace("{out}", str(out))
    got, headers, body = post(clickhouse, sql.encode())
    assert (got, headers["X-ClickHouse-Exception-Code"]) == (status, str(code)), body
    assert body.startswith(f"Code: {code}. DB::Exception: ")
    assert not out.exists()


def test_driver_sees_the_code_and_bad_data_stores_nothing(client: Any, table: str) -> None:
    with pytest.raises(DatabaseError) as failure:
        client.query("SELECT nope FROM t")
    assert (failure.value.code, failure.value.name) == (47, "UNKNOWN_IDENTIFIER")
    with pytest.raises(DatabaseError, match="the request body"):
        client.raw_insert(table, ["n"], b"1\nno number\n", fmt="CSV")
    assert count(client) == 0


def test_get_is_read_only(clickhouse: LocalClickHouse, client: Any, table: str) -> None:
    for session in ({}, {"session_id": "g"}):
        status, headers, _ = post(clickhouse, None, query="INSERT INTO ringback.t SELECT 1, 'a'", **session)
        assert headers["X-ClickHouse-Exception-Code"] == "164", status
        assert post(clickhouse, None, query="SELECT 1", **session)[2] == "1\n"
    assert count(client) == 0


def test_settings_do_not_leak(clickhouse: LocalClickHouse) -> None:
    def ask(sql: str, **query: str) -> str:
        return post(clickhouse, sql.encode(), **query)[2].strip()

    threads = "SELECT getSetting('max_threads')"
    default = ask(threads)
    for session in ({}, {"session_id": "settings"}):
        assert ask(threads, max_threads="7", **session) == "7"
        assert ask(threads, **session) == default
    ask("SET max_threads = 5", session_id="settings")
    assert ask(threads, session_id="settings", max_threads="6") == "6"
    assert ask(threads, session_id="settings") == "5"
    ask("USE ringback", session_id="settings")
    assert ask("SELECT currentDatabase()", session_id="settings", database="system") == "system"
    assert ask("SELECT currentDatabase()", session_id="settings") == "ringback"
    assert "115" in ask(threads, session_id="settings", nope="1")


def test_sessions_keep_temporary_tables(clickhouse: LocalClickHouse) -> None:
    one = driver(clickhouse, session_id="one")
    other = driver(clickhouse, session_id="other")
    one.command("CREATE TEMPORARY TABLE mine (n UInt8)")
    one.insert("mine", [[1], [2]], column_names=["n"], column_type_names=["UInt8"])
    assert one.command("SELECT sum(n) FROM mine") == 3
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        other.command("SELECT * FROM mine")
    status, headers, _ = post(clickhouse, b"SELECT 1", session_id="never seen", session_check="1")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "372")


async def test_async_client(clickhouse: LocalClickHouse, client: Any, table: str) -> None:
    connected = await clickhouse_connect.get_async_client(
        host="127.0.0.1",
        port=clickhouse.port,
        password=credentials(clickhouse)["X-ClickHouse-Key"],
        database="ringback",
        compress="lz4",
        autogenerate_session_id=False,
    )
    assert await connected.ping()
    rows = [[n, "a"] for n in range(100_000)]
    assert (await connected.insert(table, rows, column_names=["n", "s"])).written_rows == 100_000
    started = time.monotonic()
    answers = await asyncio.gather(*[connected.query(f"SELECT {n}, sleep(0.3)") for n in range(4)])
    assert [answer.result_rows[0][0] for answer in answers] == [0, 1, 2, 3]
    assert time.monotonic() - started < 1.0
    assert (await connected.query_arrow("SELECT * FROM t")).num_rows == 100_000
    await connected.close()


def test_a_body_cut_short_stores_nothing(clickhouse: LocalClickHouse, client: Any, table: str) -> None:
    key = credentials(clickhouse)["X-ClickHouse-Key"].encode()
    head = b"POST /?query=INSERT+INTO+ringback.t+(n)+FORMAT+CSV HTTP/1.1\r\nHost: localhost\r\n"
    head += b"X-ClickHouse-Key: %s\r\n" % key
    with socket.create_connection(("127.0.0.1", clickhouse.port)) as connection:
        connection.sendall(head + b"Content-Length: 1000\r\n\r\n1\n2\n3\n")
    time.sleep(0.2)
    assert "Traceback" not in clickhouse.log_path.read_text()
    with socket.create_connection(("127.0.0.1", clickhouse.port)) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\nno chunk")
        assert b" 400 " in connection.recv(100)
    assert count(client) == 0
    assert not list((clickhouse.data_dir / "clickhouse" / "spool").iterdir())


def test_unsupported_encodings_and_web_pages(clickhouse: LocalClickHouse) -> None:
    assert post(clickhouse, b"x", {"Content-Encoding": "br"}, query="INSERT INTO t FORMAT CSV")[0] == 415
    assert post(clickhouse, b"SELECT 1", {"Origin": "https://evil.example"})[0] == 403


def _command(data_dir: Path, port: int, *more: str) -> list[str]:
    module = [sys.executable, "-m", "deploy.local.clickhouse"]
    return [*module, "--data-dir", str(data_dir), "--port", str(port), *more]


def test_start_errors_are_one_line(clickhouse: LocalClickHouse, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    for argv, words in (
        (_command(clickhouse.data_dir, free_port()), ("in use", str(clickhouse.pid), "RINGBACK_DATA_DIR")),
        (_command(tmp_path, clickhouse.port), (str(clickhouse.port), "taken", "RINGBACK_CLICKHOUSE_PORT")),
        (_command(no_folder, free_port()), ("cannot be used", "RINGBACK_DATA_DIR")),
    ):
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 3
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert all(word in done.stderr for word in words), done.stderr
    with pytest.raises(LocalStackError) as failure:
        LocalClickHouse(clickhouse.data_dir, free_port()).start()
    assert "in use" in failure.value.message
    assert "RINGBACK_DATA_DIR" in failure.value.hint


def test_kill_and_clean_stop_keep_acknowledged_rows(tmp_path: Path) -> None:
    server = LocalClickHouse(tmp_path, free_port())

    def connect() -> Any:
        return driver(server)

    server.start()
    client = connect()
    client.command("CREATE TABLE ringback.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    for n in range(50):
        client.insert("ringback.t", [[n]], column_names=["n"], column_type_names=["UInt64"])
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    assert not server.alive()
    server.start()
    assert connect().command("SELECT count() FROM ringback.t") == 50
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        clickhouse_connect.get_client(host="127.0.0.1", port=server.port, password="wrong")
    server.stop()
    assert "Traceback" not in server.log_path.read_text()
    server.start()
    assert connect().command("SELECT count() FROM ringback.t") == 50
    server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from deploy.local.clickhouse.process import LocalClickHouse\n"
        "server = LocalClickHouse(Path(sys.argv[1]), int(sys.argv[2])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", script, str(tmp_path), str(free_port())]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "it outlived its parent"
        time.sleep(0.05)


def test_limits(tmp_path: Path) -> None:
    port = free_port()
    argv = _command(
        tmp_path, port, "--max-requests", "2", "--max-body", "1000", "--memory-limit", "1000000000"
    )
    server = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    assert "ready" in server.stderr.readline()
    server_at = LocalClickHouse(tmp_path, port)  # not started by us; it knows address and password
    assert post(server_at, b"1\n" * 600, query="INSERT INTO t FORMAT CSV")[0] == 413
    status, headers, _ = post(server_at, b"SELECT groupArray(toString(number)) FROM numbers(100000000)")
    assert headers["X-ClickHouse-Exception-Code"] == "241", status

    async def crowd() -> list[tuple[int, Any, str]]:
        slow = [asyncio.to_thread(post, server_at, b"SELECT sleep(1)") for _ in range(3)]
        return list(await asyncio.gather(*slow))

    answers = sorted(asyncio.run(crowd()), key=lambda answer: answer[0])
    assert [answer[0] for answer in answers] == [200, 200, 503]
    assert answers[2][1]["Retry-After"] == "1"
    server.terminate()
    assert server.wait(10) == 0
    server.stderr.close()


def test_a_long_query_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    server = LocalClickHouse(tmp_path, free_port())
    server.start()
    sql = b"SELECT sleepEachRow(1) FROM numbers(60) SETTINGS function_sleep_max_microseconds_per_block = 0"
    key = credentials(server)["X-ClickHouse-Key"].encode()
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-ClickHouse-Key: %s\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head % (key, len(sql)) + sql)
        time.sleep(0.3)
        started = time.monotonic()
        server.stop()
    assert time.monotonic() - started < 8  # short of the SIGKILL after ten seconds


def test_unfinished_bodies_hold_nobody_up_for_long(tmp_path: Path) -> None:
    """Sixty-four of them took every place for good. Now those of BI take BI's, and all end when silent."""
    port = free_port()
    server = subprocess.Popen(
        _command(tmp_path, port, "--silence-s", "1.5"), stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    assert "ready" in server.stderr.readline()
    at = LocalClickHouse(tmp_path, port)

    def unfinished(user: str) -> socket.socket:
        head = "".join(f"{name}: {value}\r\n" for name, value in credentials(at, user).items())
        wire = socket.create_connection(("127.0.0.1", port), timeout=10)
        wire.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: 9\r\n\r\nSE".encode())
        return wire

    wires = [unfinished("bi") for _ in range(64)]
    time.sleep(0.3)
    assert ask(at, "SELECT 1", user="bi").status == 503
    assert ask(at, "SELECT 1").text == "1\n"
    assert b" 408 " in wires[0].recv(1000)
    wires += [unfinished("default") for _ in range(64)]
    time.sleep(2)
    assert ask(at, "SELECT 1").text == ask(at, "SELECT 1", user="bi").text == "1\n"
    for wire in wires:
        wire.close()
    server.terminate()
    assert server.wait(10) == 0
    server.stderr.close()


def test_a_folder_of_before_gets_passwords(tmp_path: Path) -> None:
    """Data that were written when there were none are there with them."""
    server = LocalClickHouse(tmp_path, free_port())
    server.start()
    ask(server, "CREATE TABLE ringback.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    ask(server, "INSERT INTO ringback.t VALUES (1)")
    server.stop()
    for path in secret_files(tmp_path):
        path.unlink()
    server.start()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secret_files(tmp_path))
    assert ask(server, "SELECT n FROM ringback.t", user="bi").text == "1\n"
    server.stop()
