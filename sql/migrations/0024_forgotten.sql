-- Who was forgotten, by a keyed digest, and what stands in their place (docs/operating/forget.md): a copy of the topic
-- forgotten-customers, from which `ringback restore kafka` makes it anew. The row `key` holds the key of the digest.
CREATE TABLE IF NOT EXISTS forgotten
(
    digest String,
    document String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY digest;
