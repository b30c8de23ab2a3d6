-- What waited at the end of each minute of [from_ms, to_ms): see kpis.tallies.live.is_waiting.
SELECT
    minute_ms AS begin_ms,
    channel,
    queue{further},
    count() AS waiting,
    max(minute_ms + 60000 - entered_ms) AS longest_ms
FROM
(
    SELECT
        channel,
        queue{further},
        toUnixTimestamp64Milli(entered_at) AS entered_ms,
        least(
            ifNull(toUnixTimestamp64Milli(answered_at), toInt64(9223372036854775807)),
            ifNull(toUnixTimestamp64Milli(ended_at), toInt64(9223372036854775807)),
            entered_ms + if(has({async_channels:Array(String)}, channel), {stale_async_ms:Int64}, {stale_ms:Int64})
        ) AS left_ms,
        -- Ends of minutes, from the first one not before it entered to the last one before it left.
        greatest(intDiv(entered_ms + 59999, 60000) * 60000, {from_ms:Int64} + 60000) AS first_end,
        least(intDiv(left_ms + 59999, 60000) * 60000, {to_ms:Int64} + 60000) AS beyond
    FROM {legs}
    WHERE offered != 0 AND NOT (handled != 0 AND isNull(answered_at)) AND first_end < beyond{carried}
)
ARRAY JOIN arrayMap(x -> x - 60000, range(first_end, beyond, 60000)) AS minute_ms
GROUP BY minute_ms, channel, queue{further}
ORDER BY minute_ms, channel, queue
