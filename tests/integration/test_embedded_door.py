"""Nobody comes in by the door of the embedded ClickHouse without a password, and no web page at all."""

import http.client
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from support.embedded import ask, basic, connection, credentials, driver, raw, secret_files
from support.fuzz import COUNT, SEED, damaged, within

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port

pytestmark = pytest.mark.stack
SECONDS = 10  # more than any of these requests may take


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    started = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    started.start()
    yield started
    started.stop()


def test_without_the_password_there_is_nothing(server: LocalClickHouse) -> None:
    for headers in ({}, {"X-ClickHouse-Key": "wrong"}, basic("default", ""), basic("eve", "x")):
        reply = raw(server.url, b"SELECT 1", headers)
        assert (reply.status, reply.code) == (403, 516), headers
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        driver(server, "eve")
    assert raw(server.url, b"SELECT 1", {}, user="default", password="x").code == 516


def test_with_a_password_there_is(server: LocalClickHouse) -> None:
    key = credentials(server)["X-ClickHouse-Key"]
    assert raw(server.url, b"SELECT 1", basic("default", key)).text == "1\n"
    assert raw(server.url, b"SELECT 1", {}, user="default", password=key).text == "1\n"
    assert driver(server).command("SELECT 1") == 1


def test_the_passwords_are_ours_alone_and_stay(server: LocalClickHouse, tmp_path: Path) -> None:
    for path in secret_files(server.data_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    texts = [path.read_text() for path in secret_files(server.data_dir)]
    assert texts[0] != texts[1]
    server.stop()
    server.start()
    assert [path.read_text() for path in secret_files(server.data_dir)] == texts
    assert server.pid is not None
    for shown in (Path(f"/proc/{server.pid}/cmdline"), Path(f"/proc/{server.pid}/environ"), server.log_path):
        assert not any(text.strip() in shown.read_text() for text in texts)


def test_the_user_of_bi_reads_and_no_more(server: LocalClickHouse) -> None:
    ask(server, "CREATE OR REPLACE TABLE ringback.t (n UInt8) ENGINE = MergeTree ORDER BY n")
    ask(server, "INSERT INTO ringback.t VALUES (7)")
    assert ask(server, "SELECT n FROM ringback.t", user="bi").text == "7\n"
    for sql in (
        "INSERT INTO ringback.t VALUES (8)",
        "INSERT INTO ringback.t SELECT 8",
        "CREATE TABLE ringback.u (n UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE u (n UInt8)",
        "DROP TABLE ringback.t",
        "ALTER TABLE ringback.t DELETE WHERE 1",
        "TRUNCATE TABLE ringback.t",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
    ):
        for session in ({}, {"session_id": "bi"}):
            reply = ask(server, sql, user="bi", **session)
            assert reply.status >= 400, sql
    assert ask(server, "SELECT groupArray(n) FROM ringback.t").text == "[7]\n"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_web_page_sends_is_refused(server: LocalClickHouse, site: str) -> None:
    """Browsers send no Origin with img, iframe, forms by GET and navigations, but always this header."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(server, None, headers=headers, query="SELECT 1").status == 403
    assert ask(server, "SELECT 1", headers={"Origin": "http://localhost:8088"}).status == 403


def test_a_get_writes_nothing(server: LocalClickHouse, tmp_path: Path) -> None:
    path = tmp_path / "written"
    for sql in (
        f"INSERT INTO FUNCTION file('{path}', 'CSV', 'n UInt8') SELECT 1",
        "INSERT INTO FUNCTION null('n UInt8') SELECT 1",
        "CREATE TEMPORARY TABLE u (n UInt8)",
        "SET readonly = 0",
    ):
        for more in ({}, {"session_id": "get"}, {"readonly": "0"}, {"readonly": "2"}):
            reply = ask(server, None, query=sql, **more)
            assert reply.status >= 400, (sql, more)
    assert not path.exists()
    assert ask(server, None, query="SELECT 1 SETTINGS readonly = 0").code == 164
    assert ask(server, None, query="SELECT 1", max_threads="1").text == "1\n"


def test_a_malformed_head_is_400_and_no_traceback(server: LocalClickHouse) -> None:
    bad: list[dict[str, str | bytes]] = [
        {"Host": "[::1"},
        {"Host": "localhost:99999"},
        {"Host": b"\xff\xfe"},
        {"Authorization": b"Basic \xff\xff"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /////w=="},
        {"X-ClickHouse-User": b"\xff"},
        {"X-ClickHouse-Key": b"\xe9"},
        {"Origin": "http://[::1"},
        {"Origin": b"\xff"},
        {"Content-Encoding": b"\xff"},
        {"Expect": b"\xff"},
        {"X-ClickHouse-Database": b"\xff"},
        {"X-ClickHouse-Format": b"\xff"},
    ]
    for headers in bad:
        wire = connection(server)
        wire.putrequest("POST", "/?query=SELECT+1&query_id=%FF", skip_host="Host" in headers)
        known = {} if "Authorization" in headers else credentials(server)
        for name, value in ({**known, "Content-Length": "0"} | headers).items():
            wire.putheader(name, value)
        wire.endheaders()
        assert 400 <= wire.getresponse().status < 500, headers
        wire.close()
    assert "Traceback" not in server.log_path.read_text()


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_fuzzed_requests_get_an_answer_and_never_a_row(server: LocalClickHouse) -> None:
    """Heads and bodies of random pieces, none with a right password: 4xx, or a closed connection."""
    random = Random(f"{SEED} requests")
    pieces = [
        b"default",
        b"bi",
        b"\xff",
        b"\x00",
        b"[",
        b"]",
        b"%",
        b":",
        b"@",
        b"/",
        b"?",
        b" ",
        b"1",
        b"x" * 70,
    ]
    names = [
        b"Host",
        b"Origin",
        b"Authorization",
        b"X-ClickHouse-User",
        b"X-ClickHouse-Key",
        b"Content-Encoding",
    ]
    names += [b"Content-Length", b"Transfer-Encoding", b"Sec-Fetch-Site", b"Content-Type", b"Expect"]
    for _ in range(COUNT):
        head = random.choice([b"GET", b"POST", b"PUT", b"OPTIONS", b"\xff"]) + b" /?query=SELECT+42"
        head += b"&".join(random.choices([b"", b"user=default", b"password=%FF", b"session_id=", b"%"], k=2))
        head += b" HTTP/1.1\r\n"
        for name in random.choices(names, k=random.randrange(5)):
            head += name + b": " + b"".join(random.choices(pieces, k=random.randrange(4))) + b"\r\n"
        reply = _wire(server, head + b"\r\n" + random.randbytes(random.randrange(40)))
        assert reply[:9] in (b"", b"HTTP/1.1 ", b"HTTP/1.0 "), reply
        assert reply[9:10] in (b"", b"4"), (head, reply)
        assert b"42\n" not in reply.partition(b"\r\n\r\n")[2]
    assert ask(server, "SELECT 1").text == "1\n"
    assert "Traceback" not in server.log_path.read_text()


PARAMETERS = (
    "query", "database", "default_format", "session_id", "session_check", "session_timeout", "query_id",
    "compress", "decompress", "readonly", "max_result_rows", "result_overflow_mode",
    "wait_end_of_query", "param_x", "role", "client_protocol_version",
    "http_write_exception_in_output_format", "enable_http_compression", "quota_key", "max_block_size",
    "buffer_size", "stacktrace", "close_session", "send_progress_in_http_headers", "user",
)  # fmt: skip
VALUES = (
    "1",
    "0",
    "-1",
    "",
    "x",
    "\xff",
    "9" * 30,
    "Native",
    "JSON",
    "SELECT 1",
    "ringback",
    "'",
    "\0",
    "😀",
    "54460",
)
BODIES = (
    b"SELECT 1",
    b"SELECT number FROM numbers(3) FORMAT JSON",
    b"SELECT {x:String}",
    b"SHOW TABLES",
    b"",
    b";",
    b"INSERT INTO ringback.none VALUES (1)",
    b"SELECT * FROM file('OWN_FILE', 'LineAsString')",
    b"\x82" * 40,
    b"SELECT 1 FORMAT Native",
    b"SELECT throwIf(number = 2) FROM numbers(9)",
    b"EXPLAIN AST SELECT 1",
    b"(",
    b"\xff\xfe",
)
HEADERS = {
    "Content-Encoding": ("gzip", "zstd", "lz4", "br", "deflate", "x", "gzip, gzip"),
    "Accept-Encoding": ("gzip", "zstd", "lz4", "*;q=0", "x"),
    "Expect": ("100-continue", "x"),
    "X-ClickHouse-Format": ("Native", "JSONEachRow", "x"),
    "X-ClickHouse-Database": ("ringback", "none"),
    "Content-Type": ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain; charset=x"),
}


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_fuzzed_requests_of_who_may_get_an_answer(server: LocalClickHouse) -> None:
    """With the right password: an answer in time, no traceback, and never the password of the other user."""
    random = Random(f"{SEED} known requests")
    owner = secret_files(server.data_dir)[0]
    secret = owner.read_text().strip().encode()
    for _ in range(COUNT):
        query = {random.choice(PARAMETERS): random.choice(VALUES) for _ in range(random.randrange(4))}
        body = random.choice(BODIES).replace(b"OWN_FILE", str(owner).encode())
        body = damaged(random, body) if random.random() < 0.4 else body
        target = "/?" + urlencode({k: v.encode("latin-1", "replace") for k, v in query.items()})
        wire = connection(server)
        with within(SECONDS, f"{target} {body!r}"):
            wire.putrequest(random.choice(("GET", "POST", "POST", "POST")), target)
            for name, choice in HEADERS.items():
                if random.random() < 0.1:
                    wire.putheader(name, random.choice(choice))
            for name, value in credentials(server, "bi").items():
                wire.putheader(name, value)
            wire.putheader("Content-Length", str(len(body)))
            wire.endheaders(body)
            reply = wire.getresponse()
            assert 200 <= reply.status < 600, (target, body)
            assert secret not in _read(reply), (target, body)
        wire.close()
    assert ask(server, "SELECT 1").text == "1\n"
    assert "Traceback" not in server.log_path.read_text()


def _read(reply: http.client.HTTPResponse) -> bytes:
    """The body, as far as it came: of an answer that fails in its middle the end is missing."""
    try:
        return reply.read()
    except http.client.IncompleteRead as error:
        return error.partial


def _wire(server: LocalClickHouse, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        try:
            return wire.recv(65536)
        except ConnectionError:
            return b""


def test_it_listens_where_it_is_told_and_answers_to_these_names(tmp_path: Path) -> None:
    """F5: tools in containers call it by another address and name."""
    server = LocalClickHouse(tmp_path, free_port(), "0.0.0.0", ["host.docker.internal"])  # noqa: S104
    server.start()
    try:
        for name, status in (
            ("host.docker.internal:8123", 200),
            ("HOST.docker.internal", 200),
            ("evil.example", 403),
        ):
            assert ask(server, "SELECT 1", headers={"Host": name}).status == status
        assert ask(server, "SELECT 1").text == "1\n"
        with socket.create_connection(("127.0.0.2", server.port), timeout=5):
            pass
    finally:
        server.stop()
