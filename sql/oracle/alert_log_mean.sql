-- Changes of a rule of `type: log_mean`, decided again from minutes (kpis/dips/log_mean.py has the definition). Part 0 are
-- sums of logarithms of durations, part 1 of their squares.
WITH
{counts},
looked AS (
    SELECT labels, at, arraySort(groupArray((part, sides))) AS both,
        arrayMap(one -> one.2[1].2, both) AS step_k, arrayMap(one -> one.2[1].3, both) AS step_n,
        arrayPopFront(arrayMap(side -> side.2, both[1].2)) AS window_s, arrayPopFront(arrayMap(side -> side.2, both[2].2)) AS window_q,
        arrayPopFront(arrayMap(side -> side.3, both[1].2)) AS window_n
    FROM before GROUP BY labels, at
),
newest AS (
    SELECT wanted.labels AS labels, wanted.at AS at, max(minute_ms) AS fresh_from, sum(if(wanted.part = 0, all_k - before_k, 0)) AS fresh_s,
        sum(if(wanted.part = 1, all_k - before_k, 0)) AS fresh_q, max(all_n - before_n) AS fresh_n
    FROM (SELECT labels, at, part, sides[1].2 AS all_k, sides[1].3 AS all_n, all_n - greatest({fresh_min:Int64}, 2) AS least FROM before) AS wanted
    ASOF LEFT JOIN totals
        ON wanted.labels = totals.labels AND wanted.part = totals.part AND wanted.least >= totals.before_n
    GROUP BY labels, at
),
judged AS (
    SELECT looked.labels AS labels, looked.at AS at, step_k, step_n, window_s, window_q, window_n, fresh_from,
        fresh_n > 1 AND if({below:UInt8}, -1, 1) * (fresh_s / fresh_n - {target:Int64}
            + {unit:Float64} * (fresh_n * fresh_q - fresh_s * fresh_s) / (fresh_n * (fresh_n - 1)) / 2) > 0 AS fresh_is_off
    FROM looked INNER JOIN newest ON looked.labels = newest.labels AND looked.at = newest.at
)
{machine}
