-- Changes of alerts as they were decided, by rule and label set (docs/guide/alerts.md). Decided again from the same
-- minutes the rows are the same; what was sent is in the ledger of the evaluator, never here.
CREATE TABLE IF NOT EXISTS alert_transitions
(
    alert LowCardinality(String),
    labels Map(String, String),
    kind LowCardinality(String),
    at DateTime64(3, 'UTC'),
    opened_at DateTime64(3, 'UTC'),
    episode String,
    kpi LowCardinality(String),
    window_ms Int64,
    successes Int64,
    n Int64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (alert, episode, at, kind);
