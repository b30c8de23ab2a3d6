-- Before it is told what each leg is: no other leg can be waiting, active, wrapping up or counted as recent.
SELECT * FROM legs FINAL
WHERE is_deleted = 0
    AND (isNull(ended_at)
        OR entered_at >= fromUnixTimestamp64Milli({recent_ms:Int64}, 'UTC')
        OR greatest(ended_at, ifNull(handled_at, ended_at))
            >= fromUnixTimestamp64Milli({as_of_ms:Int64} - {acw_stale_ms:Int64}, 'UTC'))
