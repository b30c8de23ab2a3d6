"""The ClickHouse writer: migrate, insert; waits while ClickHouse is away, stops when it refuses."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import stamina
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from clickhouse_connect.driver.insert import InsertContext

from sinks.binding import bind, is_new, mismatch
from sinks.connection import connect, first_line, without_secret
from sinks.rows import COLUMNS
from sql.migrate import migrations
from streams.kafka.patience import Notice

T = TypeVar("T")
log = structlog.get_logger()
# Server error codes that pass by themselves or by a person making room; anything else is ours to mend.
PASSING_CODES = frozenset({
    74, 75, 76,  # cannot read, write or open a file: a full or failing disk
    159, 160,  # too slow
    164, 242,  # read-only for now
    202, 203, 209, 210,  # too many queries, no free connection, socket time-out, network
    236, 241, 243, 252, 394,  # aborted, memory, no space on disk, too many parts, cancelled
    999,  # keeper
})  # fmt: skip
READONLY = 164
# What to do about the others that have to do with who we are; the rest says so itself.
REMEDIES = {
    81: "Create the database that CLICKHOUSE_URL names, or name another",
    READONLY: "The user in CLICKHOUSE_URL may only read: let it write, or name another",
    192: "Name a user in CLICKHOUSE_URL that there is",
    193: "Put the right password into CLICKHOUSE_URL",
    194: "Put a password into CLICKHOUSE_URL",
    497: "Grant the user in CLICKHOUSE_URL all of its database: CREATE, ALTER, SELECT, INSERT and so on",
    516: "Put the right user and password into CLICKHOUSE_URL",
}
AS_IT_IS = {
    "input_format_avro_null_as_default": 1,  # a map that is null is an empty one
    "optimize_on_insert": 0,  # rows that come twice are left out when parts are merged, and by every reader
    "short_circuit_function_evaluation": "disable",  # of rules that nearly every row keeps
}
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0


class SinkRefused(RuntimeError):
    """ClickHouse refuses what we send and will go on doing so: nothing is lost, a person has to look."""


class GivenUp(RuntimeError):
    """ClickHouse was still waited for when the process was told to stop: nothing is lost."""

    def __init__(self, what: str) -> None:
        super().__init__(f"stopped while waiting for ClickHouse ({what}); nothing is lost")


def passes(error: Exception) -> bool:
    """Will this error pass without a change of ours? RegistryUnreachable, overloaded, out of space: yes."""
    if isinstance(error, ClickHouseError):
        code = getattr(error, "code", None)
        return code in PASSING_CODES if code else isinstance(error, OperationalError)
    return isinstance(error, OSError)


def refusal(what: str, error: Exception) -> SinkRefused:
    """What is said of an error that does not pass: what it is, what to do, and that nothing is lost."""
    code = getattr(error, "code", None)
    if code is None and "readonly" in str(error):  # found by the driver, before it asks
        code = READONLY
    remedy = REMEDIES.get(code or 0, "Mend this")
    return SinkRefused(
        f"ClickHouse refuses {what}: {first_line(error)}. {remedy}, and start the sink again; nothing is lost"
    )


def patiently(work: Callable[[], T], what: str, url: str, stopping: Callable[[], bool]) -> T:
    """Do `work`, waiting as long as ClickHouse cannot; says so once for each reason, and when it goes on.

    Raises SinkRefused when ClickHouse answers with an error that does not pass, GivenUp when it does not
    answer and the process is told to stop.
    """
    notice = Notice("waiting for ClickHouse", "ClickHouse answers", what=what, url=without_secret(url))
    for attempt in stamina.retry_context(
        on=passes, attempts=None, timeout=None, wait_initial=FIRST_WAIT_S, wait_max=LONGEST_WAIT_S
    ):
        with attempt:
            try:
                result = work()
            except ClickHouseError as error:
                if not passes(error):
                    raise refusal(what, error) from error
                notice.waits(
                    first_line(error), reason=getattr(error, "code", None)
                )  # None: away, in whatever way
                if stopping():
                    raise GivenUp(what) from error
                raise
    notice.over()
    return result


def migrate(client: Client) -> list[str]:
    """Apply the migrations that this database has not seen; returns their names. Can be run again."""
    client.command(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name String, applied_at DateTime64(3, 'UTC') "
        "DEFAULT now64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY name"
    )
    seen = {row[0] for row in client.query("SELECT name FROM schema_migrations FINAL").result_rows}
    applied = []
    for migration in migrations():
        if migration.name not in seen:
            for statement in migration.statements:
                client.command(statement)
            client.insert("schema_migrations", [[migration.name]], column_names=["name"])
            applied.append(migration.name)
    return applied


class ClickHouseSink:
    """Writes rows; a batch sent again changes nothing, because every table replaces by row identity."""

    def __init__(
        self,
        url: str,
        make_views: Callable[[Client], object] | None = None,
        on_insert: Callable[[str, int, float], None] = lambda table, rows, seconds: None,
        stopping: Callable[[], bool] = lambda: False,
        left_out: Collection[str] = (),
    ) -> None:
        self.url = url
        self._left_out = left_out  # tables of which nothing is kept
        self._stopping = stopping
        self._on_insert = on_insert
        self._make_views = make_views
        self._client: Client | None = None
        self._contexts: dict[str, InsertContext] = {}

    def client(self) -> Client:
        """The connection, made when first needed."""
        if self._client is None:
            self._client = connect(self.url)
        return self._client

    def prepare(self) -> None:
        """Wait for ClickHouse and bring its tables and views up to date. Raises SinkRefused, GivenUp."""
        for name in self._patiently(lambda: migrate(self.client()), "migrations"):
            log.info("migration applied", name=name)
        if self._make_views is not None:
            self._patiently(lambda make=self._make_views: make(self.client()), "views")  # type: ignore[misc]

    def is_new(self, cluster: str) -> bool:
        """Is ClickHouse empty? Raises SinkRefused where its rows come from another Kafka than `cluster`."""
        wrong = self._patiently(lambda: mismatch(self.client(), cluster), "its Kafka")
        if wrong is not None:
            raise SinkRefused(wrong)
        return self._patiently(lambda: is_new(self.client(), cluster), "its Kafka")

    def bind(self, cluster: str) -> None:
        """Keep the id of the Kafka that the rows come from."""
        self._patiently(lambda: bind(self.client(), cluster), "its Kafka")

    def insert(self, tables: Mapping[str, Sequence[Sequence[Any]]]) -> int:
        """Insert rows by table and return their number once all are acknowledged. Raises SinkRefused."""
        for table, rows in tables.items():
            if rows and table not in self._left_out:
                started = time.monotonic()
                self._patiently(lambda table=table, rows=rows: self._insert(table, rows), table)  # type: ignore[misc]
                self._on_insert(table, len(rows), time.monotonic() - started)
        return sum(len(rows) for rows in tables.values())

    def insert_as_it_is(self, table: str, data: bytes, made: str, onwards: Mapping[str, str]) -> None:
        """Read an Avro container into a table of a moment, and from there insert onwards. Raises SinkRefused.

        `made` makes the table; `onwards` has statements by the table that they insert into.
        """

        def run(statement: str, what: str, body: bytes | None = None) -> None:
            self._patiently(lambda: self.client().command(statement, data=body, settings=AS_IT_IS), what)

        run(f"DROP TABLE IF EXISTS {table}", table)
        run(made, table)
        try:
            run(f"INSERT INTO {table} FORMAT Avro", table, data)
            for into, statement in onwards.items():
                if into not in self._left_out:
                    run(statement, into)
        finally:
            run(f"DROP TABLE IF EXISTS {table}", table)

    def _patiently(self, work: Callable[[], T], what: str) -> T:
        return patiently(work, what, self.url, self._stopping)

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        context = self._contexts.pop(table, None)
        if context is None:
            context = self.client().create_insert_context(table, COLUMNS[table])
        summary = self.client().insert(data=rows, context=context)
        # Kept: otherwise the driver asks for the columns before each insert, and leaves the rows in a cycle,
        # which only Python's collector can free.
        self._contexts[table] = context
        if summary.written_rows not in (0, len(rows)):  # 0: the server does not say
            raise SinkRefused(f"{table}: sent {len(rows)} rows, ClickHouse stored {summary.written_rows}")
