"""The clients of BI tools, unmodified and with their defaults, against the embedded ClickHouse.

They come from Maven, the Go proxy, npm and PyPI: `make test-real` runs them. What a registry or this machine
does not have is skipped with the reason.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.embedded import ask, credentials
from support.fetching import fetched, folder_of, printed

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
SUM = "20000988890"  # of 0 to 199,999 and the lengths of their texts
# What each version needs beside it. Of zstd-jni 0.11.1 wants a build that Maven Central has not.
JDBC = {
    "0.6.5": ["com.clickhouse:clickhouse-http-client:0.6.5", "org.lz4:lz4-java:1.8.0"],
    "0.7.2": ["com.clickhouse:clickhouse-http-client:0.7.2", "org.lz4:lz4-java:1.8.0"],
    "0.8.6": [],
    "0.9.8": [],
    "0.11.1": ["com.github.luben:zstd-jni:1.5.7-6"],
}
EVERYWHERE = ["org.slf4j:slf4j-api:2.0.16", "org.apache.httpcomponents.client5:httpclient5:5.3.1"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    started = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    started.start()
    ask(started, "CREATE TABLE ringback.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    ask(started, "INSERT INTO ringback.t VALUES (7, 'it''s')")
    yield started
    started.stop()


def login(server: LocalClickHouse) -> tuple[str, str]:
    known = credentials(server, "bi")
    return known["X-ClickHouse-User"], known["X-ClickHouse-Key"]


def pom(version: str) -> str:
    """A project that has a version of the driver, without its own zstd-jni, and what it needs."""
    own = ["com.clickhouse", "clickhouse-jdbc", version]
    parts = [own, *(name.split(":") for name in (*JDBC[version], *EVERYWHERE))]
    without = "<exclusions><exclusion><groupId>com.github.luben</groupId><artifactId>zstd-jni</artifactId>"
    without += "</exclusion></exclusions>"
    listed = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{number}</version>"
        f"{without if group == 'com.clickhouse' and version == '0.11.1' else ''}</dependency>"
        for group, name, number in parts
    )
    head = (
        "<modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>"
    )
    return f"<project>{head}<dependencies>{listed}</dependencies></project>"


@pytest.mark.parametrize("version", JDBC)
def test_jdbc(server: LocalClickHouse, version: str) -> None:
    """DBeaver, DataGrip, Metabase, Tableau."""
    folder = folder_of(f"jdbc-{version}", {"pom.xml": pom(version)})
    fetched("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", folder=folder)
    fetched("javac", "-d", ".", str(HERE / "Probe.java"), folder=folder)
    url = f"jdbc:clickhouse://127.0.0.1:{server.port}/ringback"
    said = printed("java", "-cp", ".:lib/*", "Probe", url, *login(server), folder=folder)
    assert said.split("\n")[:5] == [
        "product ClickHouse",
        "tables true",
        f"sum {SUM}",
        "prepared 7",
        "error true",
    ]


@pytest.mark.parametrize("version", ["2.30.0", "2.37.2", "2.40.3", "2.51.0"])
def test_clickhouse_go(server: LocalClickHouse, version: str) -> None:
    """Grafana. With lz4, zstd and gzip as well."""
    folder = folder_of(f"go-{version}", {"main.go": (HERE / "main.go").read_text()})
    fetched("go", "mod", "init", "probe", folder=folder)
    fetched("go", "get", f"github.com/ClickHouse/clickhouse-go/v2@v{version}", folder=folder)
    fetched("go", "mod", "tidy", folder=folder)
    fetched("go", "build", "-o", "probe", ".", folder=folder)
    said = printed("./probe", f"127.0.0.1:{server.port}", *login(server), folder=folder)
    assert said.splitlines() == [
        f"{name} sum {SUM} row 7 error true" for name in ("default", "lz4", "zstd", "gzip")
    ]


def test_node(server: LocalClickHouse) -> None:
    folder = folder_of("node", {"probe.mjs": (HERE / "probe.mjs").read_text()})
    fetched("npm", "install", "--silent", "--no-fund", "@clickhouse/client@1.23.1", folder=folder)
    said = printed("node", "probe.mjs", server.url, *login(server), folder=folder)
    assert said.splitlines()[-1] == f"sum {SUM} row 7 error true"


def in_python(name: str, packages: list[str], code: str, *arguments: str) -> str:
    """What a few lines print with packages of their own."""
    folder = folder_of(name, {})
    fetched(sys.executable, "-m", "pip", "install", "-q", "--target", "lib", *packages, folder=folder)
    return printed(sys.executable, "-c", code, *arguments, folder=folder, PYTHONPATH=str(folder / "lib"))


def test_sqlalchemy(server: LocalClickHouse) -> None:
    """Superset's way: the dialect of clickhouse-connect."""
    code = (
        "import sys, sqlalchemy as sa\n"
        "engine = sa.create_engine(sys.argv[1])\n"
        "names = sa.inspect(engine).get_table_names(schema='ringback')\n"
        "with engine.connect() as connection:\n"
        "    row = connection.execute(sa.text('SELECT n FROM t WHERE s = :s'), {'s': \"it's\"}).scalar()\n"
        "    many = len(connection.execute(sa.text('SELECT number FROM numbers(200000)')).all())\n"
        "print('t' in names, row, many)"
    )
    user, password = login(server)
    url = f"clickhousedb://{user}:{password}@127.0.0.1:{server.port}/ringback"
    packages = ["sqlalchemy>=2,<2.1", "clickhouse-connect[sqlalchemy]"]
    assert in_python("sqlalchemy", packages, code, url) == "True 7 200000\n"


def test_connectorx(server: LocalClickHouse) -> None:
    """`polars.read_database_uri`; it always asks for ClickHouse's own compression."""
    code = (
        "import sys, connectorx\n"
        "sql = 'SELECT number, toString(number) AS s FROM numbers(200000)'\n"
        "print(connectorx.read_sql(sys.argv[1], sql, return_type='arrow').num_rows)"
    )
    user, password = login(server)
    url = f"clickhouse://{user}:{password}@127.0.0.1:{server.port}/ringback?protocol=http"
    assert in_python("connectorx", ["connectorx", "pyarrow"], code, url) == "200000\n"
