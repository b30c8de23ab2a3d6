"""From an accepted request to an answer: guards, then settings, then the engine. Runs in a worker thread."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from deploy.local.clickhouse import guard
from deploy.local.clickhouse.access import BI_PROFILE, limits_of
from deploy.local.clickhouse.empty import native_header
from deploy.local.clickhouse.engine import Engine, Handle, Result
from deploy.local.clickhouse.errors import READONLY, QueryError, refused
from deploy.local.clickhouse.killing import is_kill_query, kill_statement, own_ids
from deploy.local.clickhouse.sessions import Sessions
from deploy.local.clickhouse.settings import RequestOptions, quote_name, set_statement
from deploy.local.clickhouse.spool import HEAD_BYTES, MAX_SQL_BYTES, Incoming
from deploy.local.clickhouse.statement import format_clause, returns_rows, trim
from deploy.local.clickhouse.tokens import first_keyword
from deploy.local.clickhouse.users import User

_FORMAT = "SELECT formatQuery("
LITERALS = (
    "input_format_values_interpret_expressions = 0, input_format_values_deduce_templates_of_expressions = 0"
)


@dataclass(frozen=True)
class Job:
    """One request: who asks, what, and whether its method is GET, which never writes."""

    user: User
    incoming: Incoming
    options: RequestOptions
    is_get: bool = False
    mark: str = ""  # what its query is known by; see killing.py

    @property
    def readonly(self) -> int:
        """The engine's level. 1 is strict: with 2 a statement may write by functions and lift any limit."""
        return 1 if self.user.read_only or self.is_get else self.options.readonly


@dataclass(frozen=True)
class Answer:
    """A result, and the name of its format if the statement has rows to return."""

    result: Result
    format: str = ""


class Executor:
    """Runs jobs on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sessions = Sessions(engine.open)
        self._guard = guard.Guard(self._normalise, engine.table_functions)
        self._lock = threading.Lock()
        self._running = 0

    def busy(self) -> bool:
        """Whether a job is running."""
        return self._running > 0

    def run(self, job: Job) -> Answer:
        """Answer a job. Raises QueryError with the engine's own text, or ours for what is refused."""
        with self._counted():
            self._check(job)
            if not job.incoming.insert and first_keyword(job.incoming.text) == "KILL":
                return self._kill(job)
            with self._prepared(job) as handle:
                if job.incoming.insert is not None:
                    return Answer(_insert(job, handle, self._literals_only(job.incoming)))
                return _statement(job, handle)

    def kill(self, mark: str) -> None:
        """End the query with this mark, if it runs."""
        with contextlib.suppress(QueryError), _fresh(self.engine) as handle:
            handle.query(kill_statement(mark))

    def _kill(self, job: Job) -> Answer:
        """KILL QUERY by our ids; whoever may only read ends queries of their own."""
        normalised = self._normalise(job.incoming.text)
        with _fresh(self.engine) as handle:
            if job.is_get or (job.user.read_only and not is_kill_query(normalised)):
                raise refused(
                    READONLY, "Cannot execute query in readonly mode."
                )  # ids alone tell users apart
            sql = own_ids(normalised, job.user.name if job.user.read_only else "")
            return _statement(replace(job, incoming=Incoming(sql)), handle)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def _check(self, job: Job) -> None:
        """Raises QueryError for what no request may do."""
        guard.check_settings(job.options.settings)
        insert = job.incoming.insert
        if insert is None:
            self._guard.check(job.incoming.text)
        else:
            self._guard.check_insert_head(f"{insert.target}\n{insert.settings}")

    def _literals_only(self, incoming: Incoming) -> bool:
        """Whether VALUES may hold no expressions: there are too many to look at, or they cannot be read."""
        assert incoming.insert is not None
        assert incoming.data is not None
        if incoming.insert.format.upper() != "VALUES":
            return False
        with incoming.data.open("rb") as file:
            data = file.read(HEAD_BYTES + 1)
        return len(data) > HEAD_BYTES or not self._guard.values_are_safe(data.decode("latin-1"))

    def _normalise(self, text: str) -> str:
        packed = base64.b64encode(text.encode("latin-1")).decode()  # byte for byte what will run
        # A handle of its own: formatQuery must not depend on the client's settings.
        with _fresh(self.engine) as clean:
            clean.query(f"SET max_query_size = {4 * MAX_SQL_BYTES}")
            try:
                return clean.query(
                    _FORMAT + "base64Decode({q:String}))", "RawBLOB", {"q": packed}
                ).body.decode("latin-1")
            except QueryError as error:
                reason, found, _ = error.text.partition(f": In scope {_FORMAT}")
                raise QueryError(error.code, f"{reason} (SYNTAX_ERROR)" if found else reason) from None

    def _settings(self, job: Job) -> dict[str, str]:
        """What a request says, on top of the limits of its user, and what its query is known by."""
        limits = limits_of(job.user.read_only, self.engine.memory_limit)
        return {**limits, **job.options.settings, "log_comment": job.mark}

    @contextmanager
    def _prepared(self, job: Job) -> Iterator[Handle]:
        """A handle with the request's settings and database, never more rights than user and method give."""
        options = job.options
        if options.session_id and not job.user.read_only:
            if job.readonly:
                # readonly cannot be taken back on a handle, and this one is kept.
                guard.check_reads_only(job.incoming.head)
            key = (job.user.name, options.session_id)
            with self.sessions.use(key, options.session_timeout_s, options.session_check) as session:
                keyword = first_keyword(job.incoming.head)
                if keyword in ("SET", "USE"):
                    session.apply({"log_comment": job.mark}, "")
                else:
                    session.apply(self._settings(job), options.database)
                yield session.handle
                if keyword == "USE":
                    session.note_use()
            if options.close_session:
                self.sessions.end(key)
            return
        with _fresh(self.engine) as handle:
            if job.user.read_only:
                # First, as it bounds what the client sets; and a bound looks at nothing that stays the same.
                handle.query(f"SET profile = '{BI_PROFILE}'")
                handle.query(set_statement(limits_of(True, self.engine.memory_limit)))
            if options.database:
                handle.query(f"USE {quote_name(options.database)}")
            handle.query(set_statement(self._settings(job)))
            if job.readonly:
                handle.query(f"SET readonly = {job.readonly}")
            yield handle


@contextmanager
def _fresh(engine: Engine) -> Iterator[Handle]:
    handle = engine.open()
    try:
        yield handle
    finally:
        handle.close()


def _insert(job: Job, handle: Handle, literals_only: bool) -> Result:
    assert job.incoming.insert is not None
    assert job.incoming.data is not None
    path = str(job.incoming.data)
    sql = job.incoming.insert.from_file(path.encode().decode("latin-1"), LITERALS if literals_only else "")
    try:
        result = handle.query(sql.encode("latin-1"), params=job.options.params)
        # Read: the rows the body held. Written counts those of materialized views too, as on a server.
        return replace(result, read_rows=result.result_rows, read_bytes=job.incoming.data.stat().st_size)
    except QueryError as error:
        # The file is ours; the client sent a body.
        raise QueryError(error.code, error.text.replace(path, "the request body"), error.status) from None


def _statement(job: Job, handle: Handle) -> Answer:
    text, options = job.incoming.text, job.options
    result = handle.query(text.encode("latin-1"), options.default_format, options.params)
    if not returns_rows(text):
        return Answer(result)
    clause = format_clause(text)
    fmt = clause[0] if clause else options.default_format
    if not result.body and fmt == "Native":
        select = trim(text[: clause[1]] if clause else text)
        result = native_header(handle, select, options.params, result)
    return Answer(result, fmt)
