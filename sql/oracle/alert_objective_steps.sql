SELECT labels, arraySort(groupArray((at, step_k, step_n, cohorts)::Tuple(at Int64, k Array(Int64), n Array(Int64), cohorts Array(
    Tuple(number Int64, k Int64, n Int64, window_k Array(Int64), window_n Array(Int64), fresh_from Int64, fresh_is_off UInt8, offset Int64))))) AS steps_of
FROM (
    SELECT labels, at,
        arraySort(groupArray((indexOf({parts:Array(UInt16)}, part), k, n, window_k, window_n, fresh_from, fresh_is_off,
            (indexOf(targets, target) - 1) * (most + 1) + 1)::Tuple(number Int64, k Int64, n Int64, window_k Array(Int64),
            window_n Array(Int64), fresh_from Int64, fresh_is_off UInt8, offset Int64))) AS cohorts,
        arrayMap(cohort -> cohort.k, cohorts) AS step_k, arrayMap(cohort -> cohort.n, cohorts) AS step_n
    FROM judged GROUP BY labels, at
)
GROUP BY labels
