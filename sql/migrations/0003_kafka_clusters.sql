-- Which Kafka the rows come from, by its cluster id: rows of two of them would fight for the greatest version.
CREATE TABLE IF NOT EXISTS kafka_clusters
(
    cluster_id String,
    bound_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY cluster_id;
