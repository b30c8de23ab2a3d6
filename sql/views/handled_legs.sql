-- Legs by when the agent was done, for figures.
SELECT channel, queue, booked_at, handle_ms, hold_n, hold_max_ms
FROM leg_durations FINAL
WHERE is_deleted = 0 AND kind = 'handled'
