"""Many evaluators, one voice: who holds the lease decides and speaks, as long as its token is the last.

A process that was stopped and woken after its lease had passed on finds another token in the ledger, within
the transaction that would have made its decisions true: none of them become so.
"""

from alerts.ledger import Ledger

NAME = "alerts"
TTL_MS = 6_000  # prolonged every second
TABLE = """CREATE TABLE IF NOT EXISTS lease (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, until INTEGER NOT NULL
)"""


class LeaseLost(Exception):
    """Another evaluator speaks now."""


class Lease:
    """The lease of one process on a ledger that several may open."""

    def __init__(self, ledger: Ledger, owner: str) -> None:
        self._db, self._owner, self._token = ledger.db, owner, 0
        self._db.execute(TABLE)

    def take(self, now: int) -> bool:
        """Take or prolong it; False while another holds it."""
        row = self._db.execute(
            "INSERT INTO lease VALUES (?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET "
            "token = CASE WHEN owner = excluded.owner AND until > ? THEN token ELSE token + 1 END, "
            "owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ? "
            "RETURNING token",
            (NAME, self._owner, now + TTL_MS, now, now),
        ).fetchone()
        self._token = int(row[0]) if row else 0
        return bool(row)

    def prolong(self, now: int) -> bool:
        """Before deciding, in the same transaction: has nobody taken over? Run out alone is no harm."""
        done = self._db.execute(
            "UPDATE lease SET until = ? WHERE name = ? AND owner = ? AND token = ?",
            (now + TTL_MS, NAME, self._owner, self.token),
        )
        return done.rowcount > 0

    def seen_from(self, ledger: Ledger) -> "Lease":
        """The same lease, asked for on another connection, for another thread."""
        return _Shared(ledger, self)

    @property
    def token(self) -> int:
        """The fencing number; 0 where it is not ours."""
        return self._token

    def held(self, now: int) -> bool:
        """Is it still ours? Asked within a transaction, the answer holds until its end."""
        found = self._db.execute(
            "SELECT 1 FROM lease WHERE name = ? AND owner = ? AND token = ? AND until > ?",
            (NAME, self._owner, self.token, now),
        ).fetchone()
        return bool(found)

    def give_back(self) -> None:
        """Whoever waits need not wait until it runs out."""
        self._db.execute(
            "UPDATE lease SET until = 0 WHERE owner = ? AND token = ?", (self._owner, self._token)
        )


class _Shared(Lease):
    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        super().__init__(ledger, lease._owner)
        self._lease = lease

    @property
    def token(self) -> int:
        return self._lease.token
