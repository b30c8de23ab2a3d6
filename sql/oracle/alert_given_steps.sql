SELECT labels, arraySort(groupArray((at, [], [], breaches, may_begin, is_off, is_quiet, window_ms, successes, counted)
    ::Tuple(at Int64, k Array(Int64), n Array(Int64), breaches UInt8, may_begin UInt8, is_off UInt8, is_quiet UInt8,
    window_ms Int64, successes Int64, counted Int64))) AS steps_of
FROM looks GROUP BY labels
