-- Legs by when they entered their queue, for figures.
SELECT channel, queue, intDiv(toUnixTimestamp64Milli(assumeNotNull(entered_at)), 60000) * 60 AS at_s,
    queue_ms, answered
FROM legs FINAL
WHERE is_deleted = 0 AND offered AND isNotNull(queue_ms)
