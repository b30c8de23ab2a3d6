"""No statement reads or writes files, opens an address, runs a command or stops the embedded ClickHouse.

Each attack is sent by the user of our own commands, who may do most, and by that of BI tools. What tells is
what happens outside: a secret in the answer, a file that is there, a connection to a port of the test.
"""

import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from support.embedded import Reply, ask
from support.fuzz import COUNT, SEED

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port

pytestmark = pytest.mark.stack
SECRET = "canary-7f3a"
USERS = ("default", "bi")
BAITS = ("secret.csv", "secret.proto", "template")
A_DICTIONARY = "CREATE DICTIONARY ringback.evil (n UInt64) PRIMARY KEY n "


@dataclass
class Bait:
    """Files nobody may read or write, and a port nobody may call."""

    folder: Path
    listener: socket.socket

    @property
    def secret(self) -> Path:
        return self.folder / "secret.csv"

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def fill(self, sql: str) -> str:
        """An attack with the paths and the address of this bait."""
        for name, value in (
            ("{secret}", str(self.secret)),
            ("{out}", str(self.folder / "out")),
            ("{folder}", str(self.folder)),
            ("{address}", f"127.0.0.1:{self.port}"),
        ):
            sql = sql.replace(name, value)
        return sql

    def untouched(self) -> None:
        """Nothing but the bait is there, and nobody called."""
        made = {path.name: path for path in self.folder.iterdir() if path.name not in BAITS}
        for path in made.values():  # what follows is to be judged for itself
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert list(made) == []
        with pytest.raises(BlockingIOError):
            self.listener.accept()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    started = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    started.start()
    ask(started, "CREATE TABLE ringback.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    ask(started, "INSERT INTO ringback.t VALUES (1, 'a')")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bait]:
    folder = tmp_path_factory.mktemp("bait")
    (folder / "secret.csv").write_text(f"{SECRET}\n")
    (folder / "secret.proto").write_text(f"{SECRET}\n")
    (folder / "template").write_text(f"{SECRET} ${{0:CSV}}\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Bait(folder, listener)


READING = [
    "SELECT * FROM file('{secret}', 'LineAsString')",
    "SELECT file('{secret}')",
    "SELECT * FROM `{secret}`",
    "SELECT * FROM default.`{secret}`",
    "SELECT x.* APPLY file FROM (SELECT '{secret}' AS x) AS x",
    "SELECT arrayMap(p -> file(p), ['{secret}'])",
    "DESCRIBE TABLE file('{secret}')",
    "SELECT content FROM filesystem('{folder}')",
    "SELECT * FROM fileCluster('default', '{secret}', 'LineAsString')",
    "SELECT * FROM url('file://{secret}', 'LineAsString')",
    "SELECT * FROM sqlite('{secret}', 't')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM deltaLakeLocal('{folder}')",
    "SELECT * FROM executable('cat {secret}', 'LineAsString', 's String')",
    "SELECT * FROM python('{secret}')",
    "SELECT * FROM eval('SELECT file(''{secret}'')') SETTINGS allow_experimental_eval_table_function = 1",
    "SELECT * FROM format(Values, 's String', '(file(''{secret}''))')",
    "SELECT * FROM format('Values', '(file(\\'{secret}\\'))')",
    "SELECT s FROM generateRandom('n UInt8, s String ALIAS file(''{secret}'')') LIMIT 1",
    "SELECT s FROM values('n UInt8, s String ALIAS file(''{secret}'')', 1)",
    "SELECT 1 FORMAT Template SETTINGS format_template_row = '{folder}/template'",
    "SELECT 1 SETTINGS format_template_row = '{folder}/template' FORMAT Template",
    "SELECT 1 AS a FORMAT Protobuf SETTINGS format_schema = '{folder}/secret:x'",
    "SELECT * FROM ringback.t SETTINGS additional_table_filters = {'ringback.t': 'file(''{secret}'') != s'}",
    "SELECT 1 SETTINGS additional_result_filter = 'file(''{secret}'') = '''''",
    "INSERT INTO ringback.t VALUES (1, file('{secret}'))",
    "INSERT INTO ringback.t VALUES (1, `fi\\x6ce`('{secret}'))",
    "INSERT INTO ringback.t VALUES (1, (SELECT * FROM file('{secret}', 'LineAsString')))",
    "INSERT INTO ringback.t VALUES (DEFAULT, file('{secret}'))",
    "INSERT INTO ringback.t SELECT 1, file('{secret}')",
    "INSERT INTO ringback.t (n, s) FROM INFILE '{secret}' FORMAT CSV",
    "CREATE TABLE ringback.evil (n UInt8, s String DEFAULT file('{secret}')) ENGINE = MergeTree ORDER BY n",
    "CREATE TABLE ringback.evil (s String) ENGINE = File(CSV, '{secret}')",
    "CREATE TABLE ringback.evil (s String) ENGINE = SQLite('{secret}', 't')",
    "CREATE TABLE ringback.evil AS file('{secret}')",
    "CREATE VIEW ringback.evil AS SELECT * FROM file('{secret}', 'LineAsString')",
    "CREATE VIEW ringback.evil SQL SECURITY NONE AS SELECT * FROM file('{secret}', 'LineAsString')",
    "CREATE DATABASE evil ENGINE = Filesystem('{folder}')",
    "CREATE DATABASE evil ENGINE = SQLite('{secret}')",
    "CREATE DATABASE evil ENGINE = Backup('x', File('{folder}'))",
    "ATTACH TABLE ringback.evil FROM '{folder}' (s String) ENGINE = MergeTree ORDER BY s",
    "ALTER TABLE ringback.t ADD COLUMN evil String DEFAULT file('{secret}')",
    "RESTORE TABLE ringback.t FROM File('{folder}')",
    "EXPLAIN SELECT file('{secret}')",
    "EXPLAIN SYNTAX SELECT * FROM file('{secret}', 'LineAsString')",
    "WITH file('{secret}') AS s SELECT s",
    "SET dialect = 'prql'",
    "SET format_template_row = '{folder}/template'",
    "SELECT 1 SETTINGS dialect = 'kusto'",
]
REACHING_OUT = [
    "INSERT INTO FUNCTION file('{out}', 'CSV', 's String') SELECT 'x'",
    "INSERT INTO TABLE FUNCTION file('{out}', 'CSV', 's String') VALUES ('x')",
    "INSERT INTO FUNCTION url('http://{address}/', 'CSV', 's String') SELECT 'x'",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO OUTFILE '{out}' AND STDOUT FORMAT CSV",
    "SELECT 1 SETTINGS output_format_schema = '{out}' FORMAT CapnProto",
    "INSERT INTO ringback.t SETTINGS input_format_record_errors_file_path = '{out}', "
    "input_format_allow_errors_num = 9 FORMAT CSV\nx",
    "BACKUP TABLE ringback.t TO File('{out}')",
    "BACKUP DATABASE ringback TO Disk('default', '{out}')",
    "CREATE TABLE ringback.evil (n UInt8) ENGINE = MergeTree ORDER BY n "
    "SETTINGS disk = disk(type = local, path = '{out}/')",
    "CREATE TABLE ringback.evil (n UInt8) ENGINE = EmbeddedRocksDB(0, '{out}') PRIMARY KEY n",
    "CREATE TABLE ringback.evil (s String) ENGINE = URL('http://{address}/', CSV)",
    "CREATE TABLE ringback.evil (s String) ENGINE = Kafka('{address}', 't', 'g', 'CSV')",
    "CREATE TABLE ringback.evil (s String) ENGINE = Redis('{address}') PRIMARY KEY s",
    "CREATE TABLE ringback.evil (s String) ENGINE = Distributed('default', 'ringback', 't')",
    "CREATE TABLE ringback.evil (s String) ENGINE = Executable('x', CSV)",
    A_DICTIONARY + "SOURCE(EXECUTABLE(COMMAND 'touch {out}' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    A_DICTIONARY + "SOURCE(HTTP(URL 'http://{address}/' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    A_DICTIONARY + "SOURCE(FILE(PATH '{secret}' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    "CREATE FUNCTION evil AS s -> file(s)",
    "CREATE NAMED COLLECTION evil AS url = 'http://{address}/'",
    "CREATE USER evil",
    "GRANT ALL ON *.* TO default",
    "CREATE DATABASE evil ENGINE = MySQL('{address}', 'd', 'u', 'p')",
    "CREATE DATABASE evil ENGINE = PostgreSQL('{address}', 'd', 'u', 'p')",
    "SELECT * FROM url('http://{address}/', 'CSV', 's String')",
    "SELECT * FROM remote('{address}', 'system.one')",
    "SELECT * FROM remoteSecure('{address}', 'system.one')",
    "SELECT * FROM s3('http://{address}/b/k', 'CSV', 's String')",
    "SELECT * FROM mysql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('{address}', 'd', 'c', 'u', 'p', 's String')",
    "SELECT * FROM redis('{address}', 's', 's String')",
    "SELECT * FROM hdfs('hdfs://{address}/x', 'CSV', 's String')",
    "SELECT * FROM jdbc('jdbc:mysql://{address}/', 't')",
    "SELECT * FROM odbc('DSN=x', 'd', 't')",
    "SELECT * FROM azureBlobStorage('http://{address}/', 'c', 'b', 'a', 'a2V5', 'CSV', 's String')",
    "SELECT 1 IN url('http://{address}/', 'CSV', 's String')",
    "SELECT * FROM format(AvroConfluent, 's String', '\\0\\0\\0\\0\\1x') "
    "SETTINGS format_avro_schema_registry_url = 'http://{address}'",
    "SELECT aiGenerate('x')",
    "SYSTEM SHUTDOWN",
    "SYSTEM KILL",
    "SYSTEM STOP MERGES",
    "SYSTEM RELOAD CONFIG",
    "SYSTEM FLUSH LOGS",
    "SELECT 1; SELECT file('{secret}')",
    "EXECUTE AS default SELECT 1",
    "DETACH DATABASE default",
    "DROP DATABASE default",
    "DROP DATABASE IF EXISTS `default`",
    "RENAME DATABASE default TO evil",
    "DETACH TABLE ringback.t PERMANENTLY",
    "CREATE TABLE ringback.evil (n UInt8) ENGINE = KeeperMap('/x') PRIMARY KEY n",
    "DROP TABLE ringback.evil PARALLEL WITH DROP TABLE ringback.evil",
]


def harmless(reply: Reply, sql: str) -> None:
    """It was refused, or gave nothing away."""
    assert SECRET.encode() not in reply.body, sql
    assert reply.status >= 400, sql


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("sql", READING + REACHING_OUT)
def test_it_is_refused(server: LocalClickHouse, bait: Bait, sql: str, user: str) -> None:
    started = time.monotonic()
    harmless(ask(server, bait.fill(sql), user=user), sql)
    assert time.monotonic() - started < 5, "it tried"
    bait.untouched()
    assert ask(server, "SELECT count() FROM ringback.t WHERE s != 'a'").text == "0\n"
    assert server.alive()


@pytest.mark.parametrize("session", [{}, {"session_id": "attack"}])
def test_settings_of_the_address_open_nothing(
    server: LocalClickHouse, bait: Bait, session: dict[str, str]
) -> None:
    for name, value, sql in (
        ("format_template_row", "{folder}/template", "SELECT 1 FORMAT Template"),
        ("dialect", "prql", "from t"),
        ("profile", "default", "SELECT 1"),
        (
            "additional_table_filters",
            "{'ringback.t': 'throwIf(1, file(''{secret}''))'}",
            "SELECT * FROM ringback.t",
        ),
        ("additional_result_filter", "file('{secret}') != ''", "SELECT 1"),
        ("input_format_record_errors_file_path", "{out}", "SELECT 1"),
    ):
        harmless(ask(server, sql, **{name: bait.fill(value)}, **session), name)
        bait.untouched()


def test_parameters_and_forms_open_nothing(server: LocalClickHouse, bait: Bait) -> None:
    for sql, params in (
        ("SELECT * FROM {t:Identifier}", {"param_t": str(bait.secret)}),
        ("SELECT * FROM default.{t:Identifier}", {"param_t": str(bait.secret)}),
        ("SELECT file({p:String})", {"param_p": str(bait.secret)}),
        ("INSERT INTO ringback.t VALUES (1, file({p:String}))", {"param_p": str(bait.secret)}),
    ):
        harmless(ask(server, sql, **params), sql)
    large = b"INSERT INTO ringback.t VALUES " + b",".join([b"(2, 'x')"] * 60_000)
    large += b", (3, file('%s'))" % str(bait.secret).encode()
    harmless(ask(server, large), "an expression behind many rows")
    assert ask(server, "SELECT count() FROM ringback.t WHERE n = 3").text == "0\n"
    ask(server, "ALTER TABLE ringback.t DELETE WHERE n = 2", mutations_sync="1")


def test_what_views_and_clients_use_works(server: LocalClickHouse) -> None:
    for sql in (
        "SELECT * FROM numbers(3)",
        "SELECT sum(n) FROM values('n UInt8, s String', (1, 'a'))",
        "SELECT * FROM generateRandom('n UInt8', 1) LIMIT 1",
        "SELECT n FROM view(SELECT n FROM ringback.t)",
        "SELECT count() FROM merge('ringback', '^t$')",
        "EXPLAIN SELECT 1",
        "EXPLAIN AST SELECT 1",
        "DESCRIBE TABLE ringback.t",
        "SHOW TABLES FROM ringback",
        "SHOW CREATE TABLE ringback.t",
        "EXISTS TABLE ringback.t",
        "SELECT name FROM system.tables LIMIT 1",
        "SELECT table_name FROM information_schema.tables LIMIT 1",
        "SELECT * FROM ringback.t SETTINGS additional_table_filters = {'ringback.t': 'n = 1'}",
        "CHECK TABLE ringback.t",
        "OPTIMIZE TABLE ringback.t FINAL",
        "CREATE OR REPLACE VIEW ringback.v AS SELECT n FROM ringback.t",
        "CREATE DATABASE IF NOT EXISTS mine",
        "CREATE TABLE IF NOT EXISTS mine.x (n UInt8 DEFAULT 1) ENGINE = Memory",
        "RENAME TABLE mine.x TO mine.y",
        "DROP DATABASE mine",
        "KILL QUERY WHERE query_id = 'nobody'",
        "SET max_threads = 2",
        "USE ringback",
    ):
        reply = ask(server, sql)
        assert reply.status == 200, (sql, reply.text)
    assert ask(server, "INSERT INTO ringback.t VALUES (7, upper('b'))").status == 200
    assert ask(server, "SELECT s FROM ringback.t WHERE n = 7").text == "B\n"
    ask(server, "ALTER TABLE ringback.t DELETE WHERE n = 7", mutations_sync="1")


def disguised(random: Random, sql: str) -> str:
    """The same to the engine: other case, blanks, comments, quotes, escapes, frames around it."""
    words = []
    for word in sql.split(" "):
        for name in ("file", "url", "remote", "executable", "format", "INFILE", "OUTFILE", "SETTINGS"):
            head, found, tail = word.partition(name)
            if found and (not tail or not tail[0].isalnum()) and (not head or not head[-1].isalnum()):
                other = random.choice([name, name.upper(), name.title()]) if name.isupper() else name
                if tail.startswith("("):
                    escaped = f"`{name[:1]}\\x{ord(name[1]):02x}{name[2:]}`"
                    other = random.choice([name, f"`{name}`", f'"{name}"', escaped, f"{name}/*(*/"])
                word = head + other + tail
        words.append(word)
    blank = [" ", "\n", "\t", "/**/", "/* ' */", "-- '\n", "#! `\n", "\u00a0", "\u2003"]
    text = "".join(
        word + random.choice(blank) if random.random() < 0.3 else word + " " for word in words
    ).strip()
    if sql.startswith("SELECT"):
        frames = [
            "{}",
            "({})",
            "SELECT * FROM ({})",
            "WITH x AS ({}) SELECT * FROM x",
            "EXPLAIN {}",
            "SELECT ({})",
        ]
        frames += ["SELECT 1 WHERE 1 IN ({})", "SELECT 1 UNION ALL {}", "DESCRIBE TABLE ({})", "/* {{ */ {}"]
        frames += [
            "CREATE VIEW ringback.evil AS {}",
            "INSERT INTO ringback.t {}",
            "SELECT 1;{}",
            "{};",
            "{} FORMAT CSV",
        ]
        text = random.choice(frames).replace("{}", text)
    return random.choice(["", " ", "\ufeff", "--\n", "/*;*/"]) + text


@pytest.mark.fuzz
@pytest.mark.timeout(0)  # each request has its own
def test_disguised_attacks_give_nothing_away(server: LocalClickHouse, bait: Bait) -> None:
    """Some disguises are no SQL, and some frames, such as EXPLAIN, harmless: what counts is what leaks."""
    random = Random(f"{SEED} statements")
    for _ in range(COUNT):
        sql = bait.fill(disguised(random, random.choice(READING + REACHING_OUT)))
        reply = ask(server, sql, user=random.choice(USERS), readonly=random.choice(["0", "2"]))
        assert SECRET.encode() not in reply.body, sql
        assert server.alive(), sql
    bait.untouched()
    evil = "SELECT create_table_query FROM system.tables WHERE name = 'evil'"
    assert ask(server, evil).text == ""
    found = ask(server, "SELECT count() FROM ringback.t WHERE position(s, 'canary') > 0").text
    assert found == "0\n"
