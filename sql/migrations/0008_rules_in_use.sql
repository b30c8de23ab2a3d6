-- By which rules the numbers are counted: a row for each partition that a worker holds, and one of the sink.
CREATE TABLE IF NOT EXISTS rules_in_use
(
    part String,
    rules String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY part;
