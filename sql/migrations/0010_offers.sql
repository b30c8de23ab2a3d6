-- Offers of legs to agents, and what windows count of them.
CREATE TABLE IF NOT EXISTS offers
(
    contact_id String,
    event_id String,
    leg UInt32,
    channel LowCardinality(String),
    direction LowCardinality(String),
    queue LowCardinality(String),
    agent LowCardinality(String),
    team LowCardinality(String),
    reason LowCardinality(String),
    dimensions Map(LowCardinality(String), String),
    ended_at DateTime64(3, 'UTC'),
    outcome LowCardinality(String),
    ring_ms Nullable(Int64),
    beside UInt8,
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (contact_id, event_id);

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS offers_beside Int64,
    ADD COLUMN IF NOT EXISTS offers_missed Int64,
    ADD COLUMN IF NOT EXISTS offers_refused Int64,
    ADD COLUMN IF NOT EXISTS offers_timed_out Int64,
    ADD COLUMN IF NOT EXISTS offers_withdrawn Int64,
    ADD COLUMN IF NOT EXISTS ring_ms Int64,
    ADD COLUMN IF NOT EXISTS ring_n Int64,
    ADD COLUMN IF NOT EXISTS missed_ring_ms Int64,
    ADD COLUMN IF NOT EXISTS missed_ring_n Int64;
