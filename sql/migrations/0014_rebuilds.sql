-- Rebuilds of facts and windows by SQL: what was asked for, how far it is, what it changed (docs/operating/rebuild.md).
-- Its rows are in tables rebuild_<id>_<table>, those that stood before in rebuild_<id>_<table>_before.
CREATE TABLE IF NOT EXISTS rebuilds
(
    id String,
    state LowCardinality(String),
    versions String,
    asked String,
    summary String,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    step UInt32
)
ENGINE = ReplacingMergeTree(step)
ORDER BY id;
