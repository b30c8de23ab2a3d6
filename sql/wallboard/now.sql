-- What the wallboard asks every second, in one statement: the present, and the sums of the day so far.
SELECT 'live' AS part, '' AS channel, queue,
    map('waiting_now', sum(m_waiting_now), 'active_now', sum(m_active_now), 'acw_now', sum(m_acw_now),
        'live_in_target', sumIf(m_live_in_target, entered_ms >= {recent_ms:Int64}),
        'live_n', sumIf(m_live_n, entered_ms >= {recent_ms:Int64}),
        'oldest_ms', toInt64(ifNull(max(age_ms), 0))) AS sums
FROM {live}
GROUP BY queue
UNION ALL
SELECT 'day' AS part, channel, queue, {day_sums} AS sums
FROM kpi_windows FINAL
WHERE window_start >= fromUnixTimestamp64Milli({earliest_ms:Int64}, 'UTC')
    AND window_start < fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    AND toUnixTimestamp64Milli(window_start)
        >= transform(queue, {zoned_queues:Array(String)}, {zoned_starts:Array(Int64)}, {day_ms:Int64})
GROUP BY channel, queue
