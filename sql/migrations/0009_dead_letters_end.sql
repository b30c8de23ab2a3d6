-- Dead letters that are done with: replayed, or mended where they came from. They stay in dead_letters. The same input
-- refused once more, later than what was closed, is open again.
CREATE TABLE IF NOT EXISTS dead_letters_closed
(
    origin String,
    position UInt64,
    payload_hash UInt64,
    failed_at DateTime64(3, 'UTC'),
    how LowCardinality(String),
    closed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(failed_at)
ORDER BY (origin, position, payload_hash);
