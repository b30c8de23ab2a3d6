-- Values per period and dimensions, in order; a period without rows in the source is left out.
SELECT fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
    fromUnixTimestamp64Milli({end}, 'UTC') AS window_end{dimensions},
    {outputs}
FROM (
    SELECT {start} AS start_ms{dimensions}, {values}
    FROM {source}
    WHERE minute_ms >= {from_ms:Int64} AND minute_ms < {to_ms:Int64}
    GROUP BY start_ms{dimensions}
    {having}
)
ORDER BY start_ms{dimensions}
