-- Up to when each source was heard of, and up to when was counted.
SELECT 'source' AS part, source AS name, maxIf(at, is_beat) AS beat_ms, maxIf(at, NOT is_beat) AS event_ms
FROM (
    SELECT source, toUnixTimestamp64Milli(occurred_at) AS at, true AS is_beat FROM heartbeats FINAL
    UNION ALL
    SELECT source, toUnixTimestamp64Milli(max(occurred_at)), false FROM events
    WHERE occurred_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY source
    UNION ALL
    SELECT source, toUnixTimestamp64Milli(max(occurred_at)), false FROM agent_events
    WHERE occurred_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY source
)
GROUP BY source
UNION ALL
SELECT 'counted', '', 0, toUnixTimestamp64Milli(max(last_event_at)) FROM contacts
WHERE last_event_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
UNION ALL
SELECT 'told', '', 0, toUnixTimestamp64Milli(max(occurred_at)) FROM events
WHERE type != 'contact_withdrawn' AND occurred_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
