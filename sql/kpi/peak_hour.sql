-- The busiest hour: four quarters of UTC within a period; the earliest on a tie.
SELECT fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
    fromUnixTimestamp64Milli(any(end_ms), 'UTC') AS window_end{dimensions},
    argMin(hour_ms, (-hour_contacts, hour_ms)) AS begin_ms, max(hour_contacts) AS n
FROM (
    -- Each quarter counts in the four hours that hold it.
    SELECT {start} AS start_ms, {end} AS end_ms{dimensions},
        intDiv(minute_ms, 900000) * 900000 - back AS hour_ms, sum(m_contacts) AS hour_contacts
    FROM {source}
    ARRAY JOIN [0, 900000, 1800000, 2700000] AS back
    WHERE minute_ms >= {from_ms:Int64} AND minute_ms < {to_ms:Int64}
    GROUP BY start_ms, end_ms{dimensions}, hour_ms
    HAVING hour_contacts != 0 AND hour_ms >= start_ms AND hour_ms + 3600000 <= end_ms
)
GROUP BY start_ms{dimensions}
ORDER BY start_ms{dimensions}
