-- Legs by when they entered their queue, for figures.
SELECT channel, queue, booked_at, queue_ms, answered
FROM leg_durations FINAL
WHERE is_deleted = 0 AND kind = 'waited'
