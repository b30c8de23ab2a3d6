"""Sessions, cancelling, compression, protocol and limits of the embedded ClickHouse, as clients meet them."""

import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import lz4.frame
import pytest
import zstandard
from support.embedded import ask, connection, credentials, driver

from deploy.local.clickhouse.access import CORES, GIVING_WAY
from deploy.local.clickhouse.blocks import BlockDecoder, pack
from deploy.local.clickhouse.places import Limits
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port

pytestmark = pytest.mark.stack
SLOW = "SELECT sum(sleepEachRow(0.1)) FROM numbers(300) SETTINGS max_block_size = 1, "
SLOW += "function_sleep_max_microseconds_per_block = 0"
RUNNING = (
    "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    os.environ["TZ"] = "Europe/Berlin"  # F8: the engine must not take it over
    try:
        started = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
        started.start()
    finally:
        del os.environ["TZ"]
    yield started
    started.stop()


def slow_request(server: LocalClickHouse, user: str, **query: str) -> socket.socket:
    """A client that has sent a query of 30 s and waits."""
    head = "".join(f"{name}: {value}\r\n" for name, value in credentials(server, user).items())
    sent = "&".join(f"{name}={value}" for name, value in {"max_block_size": "1", **query}.items())
    sql = SLOW.partition(" SETTINGS")[0]
    wire = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    sent += "&function_sleep_max_microseconds_per_block=0"
    start = f"POST /?{sent} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(sql)}\r\n\r\n{sql}"
    wire.sendall(start.encode())
    return wire


def until_running(server: LocalClickHouse, number: int) -> None:
    deadline = time.monotonic() + 10
    while ask(server, RUNNING).text.strip() != str(number):
        assert time.monotonic() < deadline, ask(server, RUNNING).text
        time.sleep(0.05)


def test_a_session_never_answers_with_rows_of_a_query_that_failed(server: LocalClickHouse) -> None:
    failing = "SELECT number, throwIf(number = 200000) FROM numbers(300000)"
    for query in ({"session_id": "s"}, {"session_id": "s", "max_threads": "1"}, {}):
        assert ask(server, failing, **query).code == 395
        assert ask(server, "SELECT 1 AS x, 'abc' AS y", **query).text == "1\tabc\n"
        assert ask(server, failing, **query).code == 395
        assert ask(server, "SELECT 2", **query, max_block_size="7").text == "2\n"


@pytest.mark.parametrize("user", ["default", "bi"])
def test_a_query_ends_when_its_client_goes(server: LocalClickHouse, user: str) -> None:
    wires = [slow_request(server, user) for _ in range(2)]
    until_running(server, 2)
    for wire in wires:
        wire.close()
    until_running(server, 0)


def test_a_query_ends_when_kill_names_its_id(server: LocalClickHouse) -> None:
    for user, killer in (("default", "default"), ("bi", "bi"), ("bi", "default")):
        wire = slow_request(server, user, query_id="mine")
        until_running(server, 1)
        assert "mine" not in ask(server, "KILL QUERY WHERE query_id = 'other'", user=killer).text
        assert ask(server, "KILL QUERY WHERE query_id = 'mine' SYNC", user=killer).status == 200
        assert b"(QUERY_WAS_CANCELLED)" in wire.recv(10_000)
        until_running(server, 0)


def test_bi_kills_no_query_of_ours(server: LocalClickHouse) -> None:
    with slow_request(server, "default", query_id="ours"):
        until_running(server, 1)
        for sql in (
            "KILL QUERY WHERE query_id = 'ours'",
            "KILL QUERY WHERE 1",
            "KILL QUERY WHERE 1 OR user = 'default' ASYNC",
            "KILL QUERY WHERE (1) OR (1)",
            "KILL MUTATION WHERE 1",
        ):
            ask(server, sql, user="bi")
            ask(server, None, user="bi", query=sql)
        time.sleep(0.3)
        until_running(server, 1)
    until_running(server, 0)


def test_bi_takes_no_thread_and_no_place_of_the_sink(server: LocalClickHouse) -> None:
    """All places of BI are taken by queries of 30 s, and more wait."""
    wires = [slow_request(server, "bi") for _ in range(64)]
    until_running(server, Limits().reading_threads)
    assert ask(server, "SELECT 1", user="bi").status == 503
    started = time.monotonic()
    assert ask(server, "SELECT 1").text == "1\n"
    assert time.monotonic() - started < 3
    for wire in wires:
        wire.close()
    until_running(server, 0)


def test_the_engine_speaks_utc(server: LocalClickHouse) -> None:
    reply = ask(server, "SELECT toUnixTimestamp(toDateTime('2026-01-05 00:00:00')), timezone()")
    assert reply.text == "1767571200\tUTC\n"
    assert reply.headers["X-ClickHouse-Timezone"] == "UTC"


def test_compress_gives_frames_of_clickhouse(server: LocalClickHouse) -> None:
    for rows in (1, 300_000):
        packed = ask(server, f"SELECT number FROM numbers({rows})", compress="1")
        decoder = BlockDecoder()
        parts = list(decoder.feed(packed.body))
        decoder.finish()
        assert b"".join(parts) == b"".join(b"%d\n" % n for n in range(rows))
    failed = ask(server, "SELEC", compress="1")
    assert b"SYNTAX_ERROR" in b"".join(BlockDecoder().feed(failed.body))


def test_decompress_takes_frames_of_clickhouse(server: LocalClickHouse) -> None:
    assert ask(server, pack(b"SELECT 41 + 1"), decompress="1").text == "42\n"
    ask(server, "CREATE OR REPLACE TABLE ringback.p (n UInt64) ENGINE = MergeTree ORDER BY n")
    rows = b"".join(b"%d\n" % n for n in range(300_000))
    body = pack(b"INSERT INTO ringback.p FORMAT TSV\n" + rows)
    assert ask(server, body, decompress="1").status == 200
    assert ask(server, "SELECT uniqExact(n) FROM ringback.p").text == "300000\n"
    damaged = bytearray(pack(b"SELECT 1"))
    damaged[-1] ^= 1
    for wrong in (bytes(damaged), b"x" * 100, pack(b"SELECT 1")[:-3]):
        assert ask(server, wrong, decompress="1").code == 117


def test_clickhouse_go_is_greeted(server: LocalClickHouse) -> None:
    sql = "SELECT displayName(), version(), revision(), timezone()"
    reply = ask(server, sql, client_protocol_version="54460", default_format="Native")
    assert reply.body.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00")
    assert b"\x0arevision()\x06UInt32\x00\x00\x00\x00\x00" in reply.body
    for version in ("0", "54460"):  # it sends its own always, and decodes at the one that it was told
        plain = ask(server, "SELECT 1 AS a", client_protocol_version=version, default_format="Native")
        assert plain.body == b"\x01\x01\x01a\x05UInt8\x01"


def test_small_bodies_are_compressed_too(server: LocalClickHouse) -> None:
    for sql in ("SELECT 1", "SELEC"):
        reply = ask(server, sql, headers={"Accept-Encoding": "lz4"}, enable_http_compression="1")
        assert reply.headers["Content-Encoding"] == "lz4"
        assert lz4.frame.decompress(reply.body)


def test_text_says_that_it_is_utf_8(server: LocalClickHouse) -> None:
    for fmt in ("TabSeparated", "CSV", "JSON", "JSONEachRow"):
        assert "charset=UTF-8" in ask(server, f"SELECT 'ü' FORMAT {fmt}").headers["Content-Type"]


def test_small_things_of_the_protocol(server: LocalClickHouse) -> None:
    assert (
        ask(server, "SELECT 1", headers={"X-ClickHouse-Query-Id": "m"}).headers["X-ClickHouse-Query-Id"]
        == "m"
    )
    ask(server, "CREATE TEMPORARY TABLE x (n UInt8)", session_id="closed")
    assert ask(server, "SELECT count() FROM x", session_id="closed", close_session="1").text == "0\n"
    assert ask(server, "SELECT 1", session_id="closed", session_check="1").code == 372
    wrong = ask(server, "SELECT 1 FORMAT Nope").text
    assert wrong.count("Code: 73") == 1
    assert wrong.count("(version ") == 1


def test_an_empty_answer_has_columns_in_native(server: LocalClickHouse) -> None:
    """F16: of an empty SHOW nothing came at all, which clients take for a broken connection."""
    for sql, name in (
        ("SHOW TABLES FROM ringback LIKE 'none'", b"name"),
        ("SELECT 1 AS x WHERE 0", b"x"),
    ):
        assert name in ask(server, f"{sql} FORMAT Native").body
        assert driver(server).query(sql).column_names == (name.decode(),)


def test_limits_of_bi(server: LocalClickHouse) -> None:
    for sql, code in (
        ("SELECT number FROM numbers(1000001)", 396),
        ("SELECT count() FROM numbers(3000000000) WHERE NOT ignore(number)", 158),
    ):
        assert ask(server, sql, user="bi").code == code, sql
    for name, value in (("max_execution_time", "0"), ("max_execution_time", "121"), ("max_result_rows", "0")):
        assert ask(server, "SELECT 1", user="bi", **{name: value}).code == 452, name
    assert ask(server, "SELECT 1", user="bi", max_execution_time="60", max_result_rows="10").text == "1\n"
    assert ask(server, "SELECT getSetting('max_threads')", user="bi").text == f"{max(1, CORES // 2)}\n"
    assert ask(server, "SELECT 1", user="bi", max_threads=str(CORES + 1)).code == 452
    for name, value in GIVING_WAY.items():
        assert ask(server, f"SELECT getSetting('{name}')", user="bi").text == f"{value}\n"
        assert ask(server, "SELECT 1", user="bi", **{name: "1"}).code == 452, name
    slow = "SELECT sum(sleepEachRow(0.1)) FROM numbers(300)"
    settings = {
        "max_execution_time": "1",
        "max_block_size": "1",
        "function_sleep_max_microseconds_per_block": "0",
    }
    assert ask(server, slow, user="bi", **settings).code == 159


@pytest.mark.parametrize("user", ["default", "bi"])
def test_results_are_limited_however_they_are_written(server: LocalClickHouse, user: str) -> None:
    """396 is the limit on results, 241 that on memory, which the text of a result is part of."""
    name = "x" * 60_000
    for sql in (
        "SELECT repeat('x', 1000000) FROM numbers(2000)",
        f"SELECT number AS {name} FROM numbers(90000) FORMAT JSONEachRow",
    ):
        assert ask(server, sql, user=user).code in (241, 396)
    assert memory_kb(server) < 6_000_000
    assert ask(server, "SELECT 1", user=user).text == "1\n"


def test_settings_that_clients_send_by_themselves(server: LocalClickHouse) -> None:
    """F9: of JDBC, Metabase, Grafana, Tableau, Superset, clickhouse-connect."""
    ask(server, "CREATE OR REPLACE TABLE ringback.p (n UInt64) ENGINE = MergeTree ORDER BY n")
    for settings in (
        {"async_insert": "0"},
        {"additional_table_filters": "{'ringback.p': 'n = 1'}"},
        {"result_overflow_mode": "break", "max_result_rows": "100"},
        {"join_use_nulls": "1", "session_timezone": "Europe/Rome"},
        {"max_execution_time": "60", "enable_http_compression": "1"},
    ):
        assert ask(server, "SELECT count() FROM ringback.p", user="bi", **settings).status == 200, settings


def test_a_bomb_is_refused_while_it_is_unpacked(tmp_path: object, server: LocalClickHouse) -> None:
    """98 kB of zstd that would be 3 GB: the process must not grow by them."""
    bomb = zstandard.ZstdCompressor(level=19).compress(b"\n" * (3 << 30 >> 3)) * 8
    before = memory_kb(server)
    peak = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory_kb(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    head = {"Content-Encoding": "zstd"}
    reply = ask(server, bomb, headers=head, query="INSERT INTO ringback.p FORMAT TSV")
    done.set()
    watcher.join()
    assert reply.code == 229
    assert peak[0] - before < 300_000


def memory_kb(server: LocalClickHouse) -> int:
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_sessions_have_a_limit(server: LocalClickHouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: ask(server, "SELECT 1", session_id=f"m{n}").code, range(320)))
    assert 202 in codes
    assert ask(server, "SELECT 1").text == "1\n"
    for n in range(320):
        ask(server, "SELECT 1", session_id=f"m{n}", close_session="1")


def test_native_frames_survive_random_cuts() -> None:
    cut = random.Random(5)
    data = cut.randbytes(3_000_000)
    packed = pack(data)
    decoder, out, at = BlockDecoder(), b"", 0
    while at < len(packed):
        step = cut.randrange(1, 700_000)
        out += b"".join(decoder.feed(packed[at : at + step]))
        at += step
    decoder.finish()
    assert out == data


def test_the_driver_keeps_working(server: LocalClickHouse) -> None:
    for user in ("default", "bi"):
        client = driver(server, user, database="ringback")
        assert client.query("SELECT number FROM numbers(3)").result_rows == [(0,), (1,), (2,)]
        client.close()
    wire = connection(server)
    wire.request("GET", "/ping")
    assert wire.getresponse().read() == b"Ok.\n"
    assert json.loads(ask(server, "SELECT 1 AS a FORMAT JSON").text)["rows"] == 1
