"""Where each rule stands, what is to be sent and what was: one SQLite file, one transaction per evaluation.

ClickHouse has no atomic claim and no unique constraint; SQLite has both, and survives kill -9. A notification
is in the outbox in the same transaction as the standing that caused it: neither is there without the other.
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from alerts.label_sets import LabelSet
from alerts.ledger_tables import TABLES
from kpis.dips.machine import Standing


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notification that waits. `id` is the same however often it is tried: receivers know repeats by it."""

    id: str
    episode: str
    kind: str
    receiver: str
    body: dict[str, object]
    created_at: int
    tries: int
    unclear: bool = False  # it was tried before, and whoever did died before it knew what came of it


@dataclass(frozen=True, slots=True)
class Problem:
    """A notification that did not get through, or not yet."""

    id: str
    receiver: str
    state: str
    error: str
    tries: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an alert as it was decided; `seen` is what was looked at then."""

    id: str
    episode: str
    alert: str
    labels: LabelSet
    kind: str
    at: int
    opened_at: int
    seen: dict[str, Any]
    decided_at: int


ENDS = ("resolved", "expired")
UNCLEAR = "perhaps told; "  # before the error of a later try
STORED = "\x00stored"  # how far ClickHouse has the changes; no group is called so
CHANGE = "id, episode, alert, labels, kind, at, opened_at, document, decided_at"


def change_of(row: tuple[Any, ...]) -> Change:
    """A row of transitions."""
    id_, episode, alert, labels, kind, at, opened_at, seen, decided_at = row
    return Change(id_, episode, alert, labels_of(labels), kind, at, opened_at, orjson.loads(seen), decided_at)


def labels_text(labels: LabelSet) -> str:
    """Labels as a key."""
    return orjson.dumps(labels).decode()


def labels_of(text: str) -> LabelSet:
    """Labels of a key."""
    return tuple((str(name), str(value)) for name, value in orjson.loads(text))


def episode_id(alert: str, labels: LabelSet, opened_at: int) -> str:
    """Identity of an episode: rule, labels and the minute it opened."""
    return hashlib.sha256(orjson.dumps((alert, labels, opened_at))).hexdigest()[:20]


class Ledger:
    """The file. Times are UTC ms."""

    def __init__(self, path: Path, threads: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=not threads)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA recursive_triggers = ON")  # a row that is replaced is seen to go
        self._db.executescript(TABLES)

    @property
    def db(self) -> sqlite3.Connection:
        """For what else is kept beside it: lease and silences."""
        return self._db

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and nobody else meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def position(self, name: str) -> int | None:
        """Up to when a group was evaluated."""
        row = self._db.execute("SELECT at FROM position WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    def advance(self, name: str, at: int) -> None:
        """A group was evaluated up to here."""
        self._db.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (name, at))

    def standings(self, alert: str) -> dict[str, Standing]:
        """Where a rule stands, by label set."""
        found = self._db.execute("SELECT labels, document FROM standing WHERE alert = ?", (alert,))
        return {labels: Standing(**orjson.loads(document)) for labels, document in found}

    def stand(self, alert: str, labels: LabelSet, standing: Standing) -> None:
        """Keep where a rule stands for a label set."""
        document = orjson.dumps(asdict(standing)).decode()
        self._db.execute(
            "INSERT OR REPLACE INTO standing VALUES (?, ?, ?)", (alert, labels_text(labels), document)
        )

    def record(
        self,
        alert: str,
        labels: LabelSet,
        kind: str,
        at: int,
        opened_at: int,
        seen: dict[str, object],
        now: int,
    ) -> str:
        """A change, once; returns the id of its episode."""
        episode = episode_id(alert, labels, opened_at)
        document = orjson.dumps(seen).decode()
        row = (f"{episode}-{kind}", episode, alert, labels_text(labels), kind, at, opened_at, document, now)
        self._db.execute("INSERT OR IGNORE INTO transition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return episode

    def enqueue(self, episode: str, kind: str, receiver: str, body: dict[str, object], now: int) -> None:
        """To be sent; a second time it changes nothing. No end is told to whom no beginning was."""
        if kind in ENDS and not self._told(f"{episode}-firing-{receiver}"):
            return
        row = (f"{episode}-{kind}-{receiver}", episode, kind, receiver, orjson.dumps(body).decode(), now, now)
        self._db.execute(
            "INSERT OR IGNORE INTO outbox (id, episode, kind, receiver, body, created_at, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )

    def _told(self, firing: str) -> bool:
        """Was the beginning sent, or may it have been? One that was never tried is dropped: it is over."""
        done = self._db.execute(
            "UPDATE outbox SET state = 'dropped', error = 'over before it was tried' "
            "WHERE id = ? AND state = 'waiting' AND tries = 0",
            (firing,),
        )
        self.drop_reminders(firing)
        found = self._db.execute("SELECT state FROM outbox WHERE id = ?", (firing,)).fetchone()
        return done.rowcount == 0 and bool(found) and found[0] in ("waiting", "sent")

    def drop_reminders(self, firing: str) -> None:
        """What was told is over: reminders of it that wait, alone or in a group, are not sent."""
        self._db.execute(
            "UPDATE outbox SET state = 'dropped', error = 'it is over' WHERE kind = 'again' "
            "AND (episode, receiver) IN (SELECT episode, receiver FROM outbox WHERE id = ?) "
            "AND (state = 'waiting' OR state = 'grouped' AND error IN ("
            "SELECT id FROM outbox WHERE state = 'waiting' AND tries = 0))",
            (firing,),
        )

    def claim(self, now: int, without: Collection[str] = ()) -> Outgoing | None:
        """The next one to try, counted as tried; not to some receivers; of an episode in their order."""
        row = self._db.execute(
            "UPDATE outbox SET tries = tries + 1 WHERE id = ("
            "SELECT id FROM outbox AS o WHERE state = 'waiting' AND due_at <= ? "
            "AND receiver NOT IN (SELECT value FROM json_each(?)) AND NOT EXISTS ("
            "SELECT 1 FROM outbox AS e WHERE e.episode = o.episode AND e.receiver = o.receiver "
            "AND e.state = 'waiting' AND (e.kind = 'firing' AND o.kind != 'firing' "
            "OR e.kind = 'group' AND o.kind = 'group' AND e.rowid < o.rowid)) "
            "ORDER BY due_at, created_at, id LIMIT 1) "
            "RETURNING id, episode, kind, receiver, body, created_at, tries, error",
            (now, orjson.dumps([*without]).decode()),
        ).fetchone()
        if row is None:
            return None
        id_, episode, kind, receiver, body, created_at, tries, error = row
        unclear = tries > 1 and (not error or error.startswith(UNCLEAR))
        return Outgoing(id_, episode, kind, receiver, orjson.loads(body), created_at, tries, unclear)

    def settle(self, id_: str, state: str, error: str, now: int) -> None:
        """It is sent, or given up as a dead letter."""
        self._db.execute(
            "UPDATE outbox SET state = ?, error = ?, done_at = ? WHERE id = ?", (state, error, now, id_)
        )

    def postpone(self, id_: str, due_at: int, error: str) -> None:
        """It is tried again later."""
        self._db.execute("UPDATE outbox SET due_at = ?, error = ? WHERE id = ?", (due_at, error, id_))

    def hold(self, id_: str, until: int, why: str) -> None:
        """Not now: it was no try, and the time in which it is to be delivered begins when it may be sent."""
        self._db.execute(
            "UPDATE outbox SET due_at = ?, created_at = ?, tries = tries - 1, error = ? WHERE id = ?",
            (until, until, why, id_),
        )

    def oldest_tried(self) -> int | None:
        """When the oldest notification that was tried and still waits was made."""
        row = self._db.execute(
            "SELECT min(created_at) FROM outbox WHERE state = 'waiting' AND tries > 0 AND kind != 'meta'"
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def given_up(self) -> tuple[int, int]:
        """How many notifications, but for those about alerting itself, were given up, and when last."""
        row = self._db.execute(
            "SELECT count(*), ifnull(max(done_at), 0) FROM outbox WHERE state = 'dead' AND kind != 'meta'"
        ).fetchone()
        return int(row[0]), int(row[1])

    def firing(self) -> list[tuple[str, LabelSet]]:
        """What fires: rule and labels."""
        found = self._db.execute(
            "SELECT alert, labels FROM standing WHERE json_extract(document, '$.state') = 'firing'"
        )
        return [(alert, labels_of(labels)) for alert, labels in found]

    def problems(self, limit: int) -> list[Problem]:
        """What is given up or still tried after a failure, the newest first."""
        found = self._db.execute(
            "SELECT id, receiver, state, error, tries, created_at FROM outbox "
            "WHERE error != '' AND state IN ('waiting', 'dead') ORDER BY created_at DESC, id LIMIT ?",
            (limit,),
        )
        return [Problem(*row) for row in found]

    def retry(self, id_: str | None, now: int, given_up_at: int | None = None) -> int:
        """Try again what was given up (then): one, or all; how many. It has the whole time once more.

        The beginning of what is over by now is not told any more: no end would follow it.
        """
        self._db.execute(
            "UPDATE outbox SET state = 'dropped', error = 'over before it was told' WHERE state = 'dead' "
            "AND kind = 'firing' AND id = ifnull(?, id) AND done_at = ifnull(?, done_at) AND EXISTS ("
            "SELECT 1 FROM transition AS t WHERE t.episode = outbox.episode AND t.kind IN (?, ?))",
            (id_, given_up_at, *ENDS),
        )
        done = self._db.execute(
            "UPDATE outbox SET state = 'waiting', tries = 0, due_at = ?, created_at = ?, done_at = NULL "
            "WHERE state = 'dead' AND id = ifnull(?, id) AND done_at = ifnull(?, done_at)",
            (now, now, id_, given_up_at),
        )
        return done.rowcount

    def counts(self) -> dict[str, int]:
        """How many notifications are in which state."""
        return dict(self._db.execute("SELECT state, count(*) FROM outbox GROUP BY state"))

    def changes(self, limit: int) -> list[Change]:
        """The last changes, the newest first."""
        found = self._db.execute(f"SELECT {CHANGE} FROM transition ORDER BY at DESC, id LIMIT ?", (limit,))  # noqa: S608
        return [change_of(row) for row in found]

    def of_episode(self, episode: str) -> list[Change]:
        """The changes of one episode, in their order."""
        found = self._db.execute(
            f"SELECT {CHANGE} FROM transition WHERE episode = ? ORDER BY at, id",  # noqa: S608
            (episode,),
        )
        return [change_of(row) for row in found]

    def not_stored(self, limit: int) -> tuple[int, list[Change]]:
        """Changes that ClickHouse does not have yet, in the order they came, and how far they reach."""
        found = self._db.execute(
            f"SELECT rowid, {CHANGE} FROM transition WHERE rowid > ? ORDER BY rowid LIMIT ?",  # noqa: S608
            (self.position(STORED) or 0, limit),
        ).fetchall()
        return (found[-1][0] if found else 0), [change_of(row[1:]) for row in found]

    def close(self) -> None:
        """Done."""
        self._db.close()
