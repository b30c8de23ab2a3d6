-- Legs that waited, or were with an agent, at the end of each minute of [from_ms, to_ms): see kpis.tallies.live.
SELECT
    minute_ms AS begin_ms,
    channel,
    queue{further},
    count() AS legs_n,
    max(minute_ms + 60000 - entered_ms) AS longest_ms
FROM
(
    SELECT
        channel,
        queue{further},
        toUnixTimestamp64Milli(entered_at) AS entered_ms,
        ifNull(toUnixTimestamp64Milli(answered_at), toInt64(9223372036854775807)) AS answer_ms,
        ifNull(toUnixTimestamp64Milli(ended_at), toInt64(9223372036854775807)) AS end_ms,
        ifNull(toUnixTimestamp64Milli(handled_at), toInt64(0)) AS finish_ms,
        has({async_channels:Array(String)}, channel) AS is_async,
        if(is_async, {stale_async_ms:Int64}, {stale_ms:Int64}) AS stale_after_ms,
        {begun} AS begun_ms,
        {left} AS left_ms,
        -- Ends of minutes, from the first one not before it began to the last one before it was over.
        greatest(intDiv(begun_ms + 59999, 60000) * 60000, {from_ms:Int64} + 60000) AS first_end,
        least(intDiv(left_ms + 59999, 60000) * 60000, {to_ms:Int64} + 60000) AS beyond
    FROM {legs}
    WHERE {meant} AND first_end < beyond{carried}
)
ARRAY JOIN arrayMap(x -> x - 60000, range(first_end, beyond, 60000)) AS minute_ms
GROUP BY minute_ms, channel, queue{further}
ORDER BY minute_ms, channel, queue
