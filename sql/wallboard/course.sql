-- Quarter-hours of some local days: sums by queue and channel. A day is a range of begins and ends.
SELECT queue, channel, intDiv(toUnixTimestamp64Milli(window_start), 900000) * 900000 AS at_ms, {sums} AS sums
FROM kpi_windows FINAL
WHERE {ranges}
GROUP BY queue, channel, at_ms
