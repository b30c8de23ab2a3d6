-- Legs by when the agent was done, for figures.
SELECT channel, queue, intDiv(toUnixTimestamp64Milli(assumeNotNull(handled_at)), 60000) * 60 AS at_s,
    handle_ms, hold_n, hold_max_ms
FROM legs FINAL
WHERE is_deleted = 0 AND handled AND isNotNull(handled_at)
