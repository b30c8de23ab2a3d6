"""The pure parts of the embedded ClickHouse: splitting, classifying, guarding, parameters, decoding."""

import contextlib
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


TABLE_FUNCTIONS = ("file", "url", "numbers", "remote", "executable", "mergeTreeIndex", "format", "input")


def a_guard(asked: list[str] | None = None) -> guard.Guard:
    """With an engine that leaves every text as it is; `asked` gets what it was asked."""
    seen = [] if asked is None else asked

    def normalise(text: str) -> str:
        seen.append(text)
        return text

    return guard.Guard(normalise, TABLE_FUNCTIONS)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE 'x'",
        "select 1 into/**/oUtFiLe 'x' FORMAT CSV",
        "SELECT 1 INTO -- \n OUTFILE $$x$$",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO t FROM /* */ infile 'x'",
        "SELECT file('x')",
        "SELECT FILE ('x')",
        "SELECT `file`('x')",
        "SELECT x.* APPLY file FROM x",
        "SELECT * FROM url('x')",
        "INSERT INTO FUNCTION url('x') SELECT 1",
        "INSERT INTO TABLE FUNCTION file('x') SELECT 1",
        "SELECT 1 IN remote('x')",
        "CREATE TABLE t AS executable('x')",
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local)",
        "SELECT * FROM mergeTreeIndex(a, b)",
        "SELECT * FROM format(Values, '(1)')",
        "SELECT 1 SETTINGS additional_table_filters = {'t': 'file(\\'x\\') = 1'}",
        "SELECT a FROM generateRandom('x UInt8, a String ALIAS file(\\'x\\')')",
        "SELECT a FROM values('x UInt8, a String ALIAS\\tfile(\\'x\\')', 1)",
        "SELECT a FROM values('x UInt8, a String DEFAULT `\\\\x66ile`(x)', 1)",
    ],
)
def test_what_reaches_out_is_refused(sql: str) -> None:
    with pytest.raises(QueryError, match="not allowed"):
        a_guard().check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'INTO OUTFILE '",
        "SELECT outfile, infile FROM infile AS i",
        "SELECT * FROM infile WHERE `into outfile`",
        "SELECT file, url FROM remote WHERE file = 'x' AND (url) = 'y'",
        "SELECT 'file(1)', url FROM numbers(3)",
        "INSERT INTO url (a) SELECT 1",
        "SELECT profile FROM values('profile String', 'a')",
        "SELECT 1 SETTINGS additional_table_filters = {'t': 'profile = 1'}",
    ],
)
def test_harmless_words_pass(sql: str) -> None:
    a_guard().check(sql)


def test_data_that_were_not_seen_are_refused() -> None:
    """Found by fuzzing: the engine's lexer skips more blanks than ours, and VALUES are expressions."""
    with pytest.raises(QueryError, match="data of this INSERT"):
        a_guard().check("INSERT INTO t FORMAT Values")
    a_guard().check_insert_head("INSERT INTO t")
    a_guard().check_insert_head("INSERT INTO url (a)")
    with pytest.raises(QueryError, match="INSERT expected"):
        a_guard().check_insert_head("SELECT 1")


def test_the_engine_is_asked_once_about_a_text() -> None:
    asked: list[str] = []
    looking = a_guard(asked)
    for sql in ("SELECT 1", "SELECT 1", "SELECT 2", "SELECT file('x')", "SELECT file('x')", "SELECT 1"):
        with contextlib.suppress(QueryError):
            looking.check(sql)
    assert asked == ["SELECT 1", "SELECT 2", "SELECT file('x')", "SELECT file('x')"]


def test_expressions_in_values() -> None:
    assert a_guard().values_are_safe(" (1, upper('w')), (2, 'my profile')")
    assert a_guard().values_are_safe(" (1, 'my file (1).pdf')")
    for data in (" (file('x'))", " (1, FILE/**/('x'))"):
        with pytest.raises(QueryError, match="not allowed"):
            a_guard().values_are_safe(data)

    def broken(text: str) -> str:
        raise QueryError(62, "no SQL")

    assert guard.Guard(broken).values_are_safe(" (1)")
    assert not guard.Guard(broken).values_are_safe(" (1, DEFAULT, file)")


def test_settings_that_hold_expressions() -> None:
    guard.check_settings({"additional_table_filters": "{'t': 'a = 1'}", "max_threads": "file"})
    with pytest.raises(QueryError, match="not allowed"):
        guard.check_settings({"additional_table_filters": "{'t': 'file(1) = 1'}"})


def test_insert_head_with_a_second_statement() -> None:
    with pytest.raises(QueryError, match="Multi-statements"):
        a_guard().check_insert_head("INSERT INTO t; DROP TABLE t")


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


@pytest.mark.parametrize("pair", [("a = 1, b", "2"), ("1x", "2"), ("role", "r"), ("profile", "default")])
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
    decoded = b"".join(
        part for at in range(0, len(body), step) for part in decoder.feed(body[at : at + step])
    )
    decoder.finish()
    assert decoded == b"".join(parts)


def test_cut_and_damaged_bodies_are_errors() -> None:
    body = _lz4_frames([b"x" * 5000])
    decoder = Decoder("lz4")
    list(decoder.feed(body[:-6]))
    with pytest.raises(QueryError, match="middle of a frame"):
        decoder.finish()
    with pytest.raises(QueryError, match="not valid lz4"):
        list(Decoder("lz4").feed(b"no frame at all, only text"))


def test_unknown_encoding_is_415() -> None:
    with pytest.raises(QueryError) as failure:
        Decoder("br")
    assert failure.value.status == 415


def test_response_encoding() -> None:
    assert choose_encoding("br, lz4,zstd") == "lz4"
    assert choose_encoding("lz4;q=0, gzip") == "gzip"
    assert choose_encoding("identity") == ""
