-- Agents who handled legs of a queue lately.
SELECT agent, any(team) AS team, count() AS legs_n, sum(ifNull(legs.handle_ms, 0)) AS handled_ms,
    countIf(isNotNull(legs.handle_ms)) AS handle_n, max(toUnixTimestamp64Milli(ifNull(handled_at, entered_at))) AS last_ms
FROM legs FINAL
WHERE is_deleted = 0 AND queue = {queue:String} AND agent != '' AND handled
    AND entered_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND entered_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
GROUP BY agent
ORDER BY agent
