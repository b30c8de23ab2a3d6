"""Sessions: a handle kept between requests, with its SET, USE and temporary tables."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.local.clickhouse.engine import Handle
from deploy.local.clickhouse.errors import (
    SESSION_IS_LOCKED,
    SESSION_NOT_FOUND,
    TOO_MANY_SIMULTANEOUS_QUERIES,
    refused,
)
from deploy.local.clickhouse.settings import quote_name, set_statement

MOST_SESSIONS = 300  # some 0.1 MB each


@dataclass
class Session:
    """A kept handle and what requests have laid over its own settings.

    A server applies a request's settings and database to that request alone, so they must not stay in the
    session. Undoing them after every request would cost two statements each; clients send the same ones
    every time, so they stay laid over until a request comes that wants others.
    """

    handle: Handle
    busy: threading.Lock = field(default_factory=threading.Lock)
    expires: float = 0.0
    own_database: str = "default"
    database: str = "default"
    overlay: dict[str, str] = field(default_factory=dict)
    own_values: dict[str, str] = field(default_factory=dict)

    def apply(self, settings: Mapping[str, str], database: str) -> None:
        """Make the handle look as this request wants it. Raises QueryError."""
        changes = {n: v for n, v in self.own_values.items() if n not in settings}
        for name, value in settings.items():
            if name not in self.own_values:
                self.own_values[name] = self.handle.text(f"SELECT toString(getSetting('{name}'))")
            if self.overlay.get(name) != value:
                changes[name] = value
        if changes:
            self.handle.query(set_statement(changes))
        self.overlay = dict(settings)
        self.own_values = {n: v for n, v in self.own_values.items() if n in settings}
        self._use(database or self.own_database)

    def note_use(self) -> None:
        """The client ran USE: the database is the session's own now."""
        self.own_database = self.database = self.handle.text("SELECT currentDatabase()")

    def _use(self, database: str) -> None:
        if database != self.database:
            self.handle.query(f"USE {quote_name(database)}")
            self.database = database


class Sessions:
    """All kept handles by (user, session id); closed when unused for their timeout."""

    def __init__(self, open_handle: Callable[[], Handle]) -> None:
        self._open = open_handle
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, str], Session] = {}

    @contextmanager
    def use(self, key: tuple[str, str], timeout_s: int, must_exist: bool) -> Iterator[Session]:
        """Hold a session for one request.

        Raises QueryError: 373 if another request is using it, 372 if it should exist and does not.
        """
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                if must_exist:
                    raise refused(SESSION_NOT_FOUND, "Session not found.")
                if len(self._sessions) >= MOST_SESSIONS:
                    raise refused(
                        TOO_MANY_SIMULTANEOUS_QUERIES,
                        f"There are {MOST_SESSIONS} sessions; use fewer, or a shorter session_timeout.",
                    )
                session = self._sessions[key] = Session(self._open())
            if not session.busy.acquire(blocking=False):
                raise refused(
                    SESSION_IS_LOCKED,
                    f"Session {key[1]} is locked by a concurrent client; use a session per thread, or none.",
                )
        try:
            yield session
        finally:
            session.expires = time.monotonic() + timeout_s
            session.busy.release()

    def end(self, key: tuple[str, str]) -> None:
        """Close a session at its client's wish, unless a request is using it."""
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and session.busy.acquire(blocking=False):
                del self._sessions[key]
                session.handle.close()
                session.busy.release()

    def sweep(self) -> None:
        """Close the sessions whose time is over."""
        now = time.monotonic()
        with self._lock:
            for key, session in list(self._sessions.items()):
                if session.busy.acquire(blocking=False):
                    if session.expires < now:
                        del self._sessions[key]
                        session.handle.close()
                    session.busy.release()

    def close(self) -> None:
        """Close all of them; none may be in use."""
        with self._lock:
            for session in self._sessions.values():
                session.handle.close()
            self._sessions.clear()
