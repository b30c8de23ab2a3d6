"""The tables of the ledger; those of lease and silences stand with them."""

TABLES = """
CREATE TABLE IF NOT EXISTS position (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS standing (
    alert TEXT NOT NULL, labels TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (alert, labels)
);
CREATE TABLE IF NOT EXISTS transition (
    id TEXT PRIMARY KEY, episode TEXT NOT NULL, alert TEXT NOT NULL, labels TEXT NOT NULL, kind TEXT NOT NULL,
    at INTEGER NOT NULL, opened_at INTEGER NOT NULL, document TEXT NOT NULL, decided_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, episode TEXT NOT NULL, kind TEXT NOT NULL, receiver TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL, due_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting', error TEXT NOT NULL DEFAULT '', done_at INTEGER
);
CREATE TABLE IF NOT EXISTS failing (alert TEXT PRIMARY KEY, tries INTEGER NOT NULL, error TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due_at);
"""
OUTBOX_COLUMNS = (
    "id", "episode", "kind", "receiver", "body", "created_at", "due_at", "tries", "state", "error", "done_at",
)  # fmt: skip
