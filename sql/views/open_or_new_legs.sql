-- Before it is told what each leg is: no other leg can be waiting, active, wrapping up or counted as recent.
SELECT * FROM legs FINAL
WHERE is_deleted = 0
    AND (isNull(ended_at)
        OR entered_at >= now64(3) - INTERVAL {minutes} MINUTE
        OR greatest(ended_at, ifNull(handled_at, ended_at)) >= now64(3) - INTERVAL {acw_stale_ms} MILLISECOND)
