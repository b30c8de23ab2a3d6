"""The pure parts of the embedded ClickHouse: splitting, classifying, guarding, parameters, decoding."""

import gzip

import lz4.frame
import pytest
import zstandard

from deploy.local.clickhouse import guard
from deploy.local.clickhouse.compression import Decoder, choose_encoding
from deploy.local.clickhouse.errors import QueryError, from_engine, http_status
from deploy.local.clickhouse.settings import parse_options, set_statement
from deploy.local.clickhouse.statement import format_clause, returns_rows, split_insert


@pytest.mark.parametrize(
    ("sql", "target", "settings", "fmt", "data"),
    [
        ("INSERT INTO t (a, b) FORMAT Native\n\x01\x02", "INSERT INTO t (a, b)", "", "Native", "\x01\x02"),
        ("insert into `t` format CSV 1,2", "insert into `t`", "", "CSV", "1,2"),
        ("INSERT INTO t FORMAT CSV\r\n\n1", "INSERT INTO t", "", "CSV", "\n1"),
        ("INSERT INTO t VALUES (1, 'a;b')", "INSERT INTO t", "", "Values", " (1, 'a;b')"),
        (
            "INSERT INTO t SETTINGS async_insert=0 FORMAT TSV\nx",
            "INSERT INTO t",
            "SETTINGS async_insert=0",
            "TSV",
            "x",
        ),
        ("-- FORMAT CSV\nINSERT INTO /* VALUES */ t FORMAT TSV\nx", None, "", "TSV", "x"),
        ("INSERT INTO db.format (values) FORMAT CSV\n1", "INSERT INTO db.format (values)", "", "CSV", "1"),
        ('INSERT INTO values ("FORMAT CSV") VALUES (1)', None, "", "Values", " (1)"),
    ],
)
def test_insert_is_split(sql: str, target: str | None, settings: str, fmt: str, data: str) -> None:
    head = split_insert(sql)
    assert head is not None
    assert (head.settings, head.format, sql[head.data_offset :]) == (settings, fmt, data)
    assert target is None or head.target == target


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FORMAT CSV",
        "INSERT INTO t SELECT * FROM s FORMAT CSV",
        "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x",
        "INSERT INTO t FROM INFILE 'f' FORMAT CSV",
        "INSERT INTO t (a) (SELECT 1)",
        "",
        "-- only a comment",
    ],
)
def test_not_an_insert_with_data(sql: str) -> None:
    assert split_insert(sql) is None


def test_file_clause_goes_before_settings() -> None:
    head = split_insert("INSERT INTO t SETTINGS a=1 FORMAT CSV\n1")
    assert head is not None
    assert head.from_file("/d/it's").split("\n") == [
        "INSERT INTO t",
        "FROM INFILE '/d/it\\'s'",
        "SETTINGS a=1",
        "FORMAT CSV",
    ]


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        ("SELECT 1\n FORMAT Native", "Native"),
        ("SELECT 1 FORMAT JSON SETTINGS max_threads = 1;", "JSON"),
        ("SELECT 1 SETTINGS max_threads = 1 FORMAT JSON", "JSON"),
        ("SELECT 'x' AS format", None),
        ("SELECT 'FORMAT JSON'", None),
        ("SELECT format FROM t", None),
        ("SELECT * FROM (SELECT 1 FORMAT CSV) -- FORMAT JSON", None),
        ("SELECT {format:String}", None),
    ],
)
def test_format_clause(sql: str, fmt: str | None) -> None:
    found = format_clause(sql)
    assert (found[0] if found else None) == fmt


@pytest.mark.parametrize(
    "sql", ["select 1", "/* x */ WITH 1 AS a SELECT a", "(SELECT 1)", "SHOW TABLES", "DESC t"]
)
def test_statements_with_rows(sql: str) -> None:
    assert returns_rows(sql)


@pytest.mark.parametrize("sql", ["CREATE TABLE t (a Int8)", "INSERT INTO t SELECT 1", "SET a = 1", ""])
def test_statements_without_rows(sql: str) -> None:
    assert not returns_rows(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE 'x'",
        "select 1 into/**/oUtFiLe 'x' FORMAT CSV",
        "SELECT 1 INTO -- \n OUTFILE $$x$$",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO t FROM /* */ infile 'x'",
    ],
)
def test_file_clauses_are_refused(sql: str) -> None:
    with pytest.raises(QueryError, match="not allowed over HTTP"):
        guard.check_statement(sql, lambda text: text)


def test_the_engine_is_asked_when_in_doubt() -> None:
    asked: list[str] = []

    def normalise(text: str) -> str:
        asked.append(text)
        return "SELECT 1"

    guard.check_statement("SELECT 1;", normalise)
    guard.check_statement("SELECT outfiles FROM t", normalise)
    guard.check_statement("SELECT ';'", normalise)
    assert asked == ["SELECT outfiles FROM t", "SELECT ';'"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'INTO OUTFILE '",
        "SELECT outfile, infile FROM infile AS i",
        "SELECT * FROM infile WHERE `into outfile`",
    ],
)
def test_harmless_words_pass(sql: str) -> None:
    guard.check_statement(sql, lambda text: text)


def test_insert_head_with_a_second_statement() -> None:
    with pytest.raises(QueryError, match="Multi-statements"):
        guard.check_insert_head("INSERT INTO t; DROP TABLE t", lambda text: text)


def test_values_with_a_second_statement() -> None:
    guard.check_values(" (1, 'a;b'), (2, $$;$$); -- ;\n;")
    with pytest.raises(QueryError, match="Multi-statements"):
        guard.check_values(" (1, 'a'); INSERT INTO t VALUES (2, 'b')")


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t SELECT 1", "WITH 1 AS x INSERT INTO t SELECT x", "DROP TABLE t"]
)
def test_writes_are_refused_for_get_in_a_session(sql: str) -> None:
    with pytest.raises(QueryError, match="READONLY"):
        guard.check_reads_only(sql)


def test_parameters_are_sorted() -> None:
    pairs = [
        ("query", "SELECT 1"),
        ("database", "d"),
        ("max_threads", "2"),
        ("param_x", "5"),
        ("enable_http_compression", "0"),
        ("client_protocol_version", "54405"),
        ("session_timeout", "99999"),
        ("readonly", "2"),
    ]
    options = parse_options(pairs, {"X-ClickHouse-Format": "CSV"})
    assert options.settings == {"max_threads": "2"}
    assert options.params == {"x": "5"}
    assert (options.database, options.default_format, options.session_timeout_s) == ("d", "CSV", 3600)
    assert options.readonly == 2
    assert not options.compress_response


@pytest.mark.parametrize("pair", [("a = 1, b", "2"), ("1x", "2"), ("compress", "1"), ("role", "r")])
def test_impossible_parameters(pair: tuple[str, str]) -> None:
    with pytest.raises(QueryError):
        parse_options([pair], {})


def test_setting_values_cannot_escape() -> None:
    assert set_statement({"a": "1', b = '2\\"}) == "SET a = '1\\', b = \\'2\\\\'"


def test_engine_errors_keep_code_and_status() -> None:
    error = from_engine("Code: 60. DB::Exception: no table (UNKNOWN_TABLE)")
    assert (error.code, error.status) == (60, 404)
    assert [http_status(code) for code in (62, 516, 159, 241, 202)] == [400, 403, 408, 500, 503]


def _lz4_frames(parts: list[bytes]) -> bytes:
    return b"".join(lz4.frame.compress(part) for part in parts)


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip"])
def test_concatenated_frames_are_all_decoded(encoding: str, step: int) -> None:
    parts = [bytes([65 + n]) * 3000 for n in range(5)]
    compress = {"lz4": lz4.frame.compress, "zstd": zstandard.compress, "gzip": gzip.compress}[encoding]
    body = b"".join(compress(part) for part in parts)
    decoder = Decoder(encoding)
    decoded = b"".join(decoder.feed(body[at : at + step]) for at in range(0, len(body), step))
    decoder.finish()
    assert decoded == b"".join(parts)


def test_cut_and_damaged_bodies_are_errors() -> None:
    body = _lz4_frames([b"x" * 5000])
    decoder = Decoder("lz4")
    decoder.feed(body[:-6])
    with pytest.raises(QueryError, match="middle of a frame"):
        decoder.finish()
    with pytest.raises(QueryError, match="not valid lz4"):
        Decoder("lz4").feed(b"no frame at all, only text")


def test_unknown_encoding_is_415() -> None:
    with pytest.raises(QueryError) as failure:
        Decoder("br")
    assert failure.value.status == 415


def test_response_encoding() -> None:
    assert choose_encoding("br, lz4,zstd", 5000) == "lz4"
    assert choose_encoding("lz4;q=0, gzip", 5000) == "gzip"
    assert choose_encoding("lz4", 10) == ""
    assert choose_encoding("identity", 5000) == ""
