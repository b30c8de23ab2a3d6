-- Nothing before the last restart counts. Of each cohort: which window is off, is it off now, and the counts in the window.
arrayMap(cohort -> (
    arrayMap((length, side) -> cohort.k - if(step.at - length < was.restart, was.restart_k[cohort.number], side),
        {windows_ms:Array(Int64)}, cohort.window_k) AS own_k,
    arrayMap((length, side) -> cohort.n - if(step.at - length < was.restart, was.restart_n[cohort.number], side),
        {windows_ms:Array(Int64)}, cohort.window_n) AS own_n,
    arrayFirstIndex((good, all) -> all >= {min_samples:Int64}
        AND if({below:UInt8}, good, all - good) <= criticals[cohort.offset + all], own_k, own_n) AS place,
    cohort.fresh_is_off AND cohort.fresh_from >= greatest(step.at - {windows_ms:Array(Int64)}[-1], was.restart),
    if(place = 0, 0, {windows_ms:Array(Int64)}[place]), if(place = 0, 0, own_k[place]), own_n[if(place = 0, -1, place)]
), step.cohorts) AS found,
-- The first cohort that is off, else what is known of the last.
arrayFirstIndex(one -> one.3 > 0 AND one.4, found) AS first_off,
found[if(first_off = 0, -1, first_off)] AS seen,
first_off > 0 AS seen_breach, seen.4 AS seen_off, step.cohorts[1].n = step.cohorts[1].window_n[1] AS is_empty,
step.cohorts[1].n != step.cohorts[1].window_n[-1] AS has_come,
seen.5 AS window_ms, seen.6 AS successes, seen.7 AS counted