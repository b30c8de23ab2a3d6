-- Changes of a rule of `type: threshold` about a percentile, decided again from minutes (kpis/dips/quantile.py has the
-- definition). Part 0 counts durations beyond the limit, part 1 those beyond `clear`.
WITH
{counts},
looks AS (
    SELECT labels, at, arraySort(groupArray((part, sides))) AS both,
        both[1].2[1].2 - both[1].2[2].2 AS successes, both[1].2[1].3 - both[1].2[2].3 AS counted,
        both[2].2[1].2 - both[2].2[2].2 AS beyond_clear,
        toInt64(ceil({percent:Int64} * counted / 100)) AS place,
        counted != 0 AND if({below:UInt8}, successes >= place, successes > counted - place) AS breaches,
        breaches OR (counted != 0 AND if({below:UInt8}, beyond_clear >= place, beyond_clear > counted - place)) AS is_off,
        counted < {min_samples:Int64} AS is_quiet,
        counted != 0 AS may_begin,
        if(breaches, {backs_ms:Array(Int64)}[2], 0) AS window_ms
    FROM before GROUP BY labels, at
)
{machine}
