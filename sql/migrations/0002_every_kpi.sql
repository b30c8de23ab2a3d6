-- Facts and windows of repeat contacts, agents and surveys by dimension; raw agent events and heartbeats.
ALTER TABLE contacts
    ADD COLUMN IF NOT EXISTS entered_at DateTime64(3, 'UTC') AFTER started_at,
    ADD COLUMN IF NOT EXISTS short_abandoned UInt8 AFTER contained;

ALTER TABLE surveys
    ADD COLUMN IF NOT EXISTS channel LowCardinality(String) AFTER leg,
    ADD COLUMN IF NOT EXISTS queue LowCardinality(String) AFTER channel,
    ADD COLUMN IF NOT EXISTS agent LowCardinality(String) AFTER queue,
    ADD COLUMN IF NOT EXISTS team LowCardinality(String) AFTER agent,
    ADD COLUMN IF NOT EXISTS reason LowCardinality(String) AFTER team,
    ADD COLUMN IF NOT EXISTS booked_at DateTime64(3, 'UTC') AFTER responded_at;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS flow_out_in_target Int64 AFTER abandoned_in_target,
    ADD COLUMN IF NOT EXISTS answers Int64 AFTER transferred_out,
    ADD COLUMN IF NOT EXISTS abandonments Int64 AFTER answers,
    ADD COLUMN IF NOT EXISTS ended_judgeable Int64 AFTER contained,
    ADD COLUMN IF NOT EXISTS ended_known Int64 AFTER ended_judgeable,
    ADD COLUMN IF NOT EXISTS first_resolution_ms Int64 AFTER ever_reopened,
    ADD COLUMN IF NOT EXISTS first_resolution_n Int64 AFTER first_resolution_ms;

-- A contact among the contacts of its customer (docs/facts.md 8). When the customer of a contact changes, the row
-- under the old one is deleted: the key says whose row it is, so the two never compete.
CREATE TABLE IF NOT EXISTS fcr
(
    customer_key String,
    contact_id String,
    channel LowCardinality(String),
    queue LowCardinality(String),
    agent LowCardinality(String),
    team LowCardinality(String),
    reason LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    begins_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    anchor UInt8,
    failed UInt8,
    level1_resolvable UInt8,
    transferred UInt8,
    next_at Nullable(DateTime64(3, 'UTC')),
    previous_end_at Nullable(DateTime64(3, 'UTC')),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (customer_key, contact_id);

-- The stream's tallies of first contact resolution: one row per minute, channel, queue, length of the window in
-- days and source partition; sum over partitions to read. Measures are defined in kpis/tallies/fcr.py.
CREATE TABLE IF NOT EXISTS fcr_windows
(
    window_start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    channel LowCardinality(String),
    queue LowCardinality(String),
    days UInt16,
    partition UInt32,
    anchors Int64,
    anchors_level1 Int64,
    repeated Int64,
    failed Int64,
    failed_level1 Int64,
    one_stop Int64,
    episodes Int64,
    one_and_done Int64,
    candidates Int64,
    repeats Int64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (window_start, channel, queue, days, partition);

-- What an agent did in a quarter-hour of UTC (docs/facts.md 9); an agent's rows all come from one partition.
CREATE TABLE IF NOT EXISTS agent_quarters
(
    agent String,
    window_start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    team LowCardinality(String),
    busy_ms Int64,
    session_ms Int64,
    logged_ms Int64,
    idle_ms Int64,
    logged_busy_ms Int64,
    sessions Int64,
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (agent, window_start);

-- Raw agent events. As in `events` a row is a variant; the reader takes the greatest (revision, canonical).
CREATE TABLE IF NOT EXISTS agent_events
(
    agent String,
    event_id String,
    revision UInt32,
    canonical String CODEC(ZSTD(1)),
    team LowCardinality(Nullable(String)),
    state LowCardinality(String),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (agent, event_id)
ORDER BY (agent, event_id, revision, canonical);

-- The last sign of life of each source.
CREATE TABLE IF NOT EXISTS heartbeats
(
    source String,
    occurred_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(occurred_at)
ORDER BY source;
