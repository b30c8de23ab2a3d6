SELECT labels, arraySort(groupArray((at, step_k, step_n, window_s, window_q, window_n, fresh_from, fresh_is_off)
    ::Tuple(at Int64, k Array(Int64), n Array(Int64), window_s Array(Int64), window_q Array(Int64), window_n Array(Int64),
    fresh_from Int64, fresh_is_off UInt8))) AS steps_of
FROM judged GROUP BY labels
