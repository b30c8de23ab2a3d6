isNull(ended_at)
    OR entered_at >= {recent}
    OR greatest(ended_at, ifNull(handled_at, ended_at)) >= {moment} - toIntervalMillisecond({acw_stale_ms})
