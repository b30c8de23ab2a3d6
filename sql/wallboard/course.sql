-- Quarter-hours of a local day: sums by queue and channel.
SELECT queue, channel, intDiv(toUnixTimestamp64Milli(window_start), 900000) * 900000 AS at_ms, {sums} AS sums
FROM kpi_windows FINAL
WHERE window_start >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
    AND window_start < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
GROUP BY queue, channel, at_ms
