-- What readers could see of windows, and when: a row for each time that the sink stored one. Never changed, only
-- dropped when it is old. `days` is 0 for KPIs and the length of the window for repeat contacts.
CREATE TABLE IF NOT EXISTS published_windows
(
    window_start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    channel LowCardinality(String),
    queue LowCardinality(String),
    days UInt16,
    partition UInt32,
    measures Map(LowCardinality(String), Int64),
    version UInt64,
    published_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toMonday(published_at)
ORDER BY (window_start, channel, queue, days, partition, version)
TTL toDateTime(published_at) + INTERVAL 35 DAY
SETTINGS ttl_only_drop_parts = 1;

-- When which event came, by its place in contact-events: what a window's version says of its cause.
CREATE TABLE IF NOT EXISTS arrivals
(
    partition UInt32,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    contact_id String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    type LowCardinality(String),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    arrived_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(arrived_at)
ORDER BY (partition, offset)
TTL toDateTime(arrived_at) + INTERVAL 35 DAY
SETTINGS ttl_only_drop_parts = 1;
