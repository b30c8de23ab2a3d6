-- Changes of a rule of `type: objective`, decided again from minutes (docs/guide/alerts.md): independent of kpis/dips,
-- but for the definition. Steps are the ends of (from_ms, to_ms]; nothing fires before the first one.
WITH
sums AS (
    SELECT {labels} AS labels, minute_ms, toInt64({num}) AS good, toInt64({den}) AS counted
    FROM {source}
    WHERE {applies}
        AND (empty({channels:Array(String)}) OR has({channels:Array(String)}, channel))
        AND (empty({queues:Array(String)}) OR has({queues:Array(String)}, queue))
),
minutes AS (
    SELECT labels, minute_ms, sum(counted) AS n, least(greatest(sum(good), 0), n) AS k
    FROM sums GROUP BY labels, minute_ms HAVING n > 0
),
totals AS (
    SELECT labels, minute_ms,
        sum(k) OVER upto AS upto_k, sum(n) OVER upto AS upto_n, upto_k - k AS before_k, upto_n - n AS before_n
    FROM minutes
    WINDOW upto AS (PARTITION BY labels ORDER BY minute_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
steps AS (
    SELECT labels, arrayJoin(range(assumeNotNull({from_ms:Int64}) + {step_ms:Int64}, {to_ms:Int64} + 1, {step_ms:Int64})) AS at
    FROM (SELECT DISTINCT labels FROM minutes)
),
-- Sums of all that lay before each window's begin; the first is that of the step itself.
bounds AS (
    SELECT labels, at, number, at - back AS bound
    FROM steps
    ARRAY JOIN arrayConcat([0], {windows_ms:Array(Int64)}) AS back, range(1 + length({windows_ms:Array(Int64)})) AS number
),
looked AS (
    SELECT labels, at, arraySort(groupArray((number, before_k, before_n))) AS sides,
        sides[1].2 AS k, sides[1].3 AS n,
        arrayPopFront(arrayMap(side -> side.2, sides)) AS window_k, arrayPopFront(arrayMap(side -> side.3, sides)) AS window_n
    FROM (
        SELECT bounds.labels AS labels, at, number, upto_k AS before_k, upto_n AS before_n
        FROM bounds ASOF LEFT JOIN totals ON bounds.labels = totals.labels AND bounds.bound > totals.minute_ms
    )
    GROUP BY labels, at
),
-- The newest contacts: the shortest stretch of minutes with at least so many.
newest AS (
    SELECT looked.labels AS labels, at, k, n, window_k, window_n,
        minute_ms AS fresh_from, k - before_k AS fresh_k, n - before_n AS fresh_n
    FROM (SELECT *, n - {fresh_min:Int64} AS wanted FROM looked) AS looked
    ASOF LEFT JOIN totals ON looked.labels = totals.labels AND looked.wanted >= totals.before_n
),
-- What is usual for a queue on a day: stretches of 28 days before it, hour by hour, of at least 20 contacts.
hours AS (
    SELECT labels, intDiv(minute_ms, 3600000) * 3600000 AS hour, sum(counted) AS n, least(greatest(sum(good), 0), n) AS k
    FROM sums WHERE {usual:UInt8} GROUP BY labels, hour HAVING n > 0
),
usual AS (
    SELECT labels, day,
        arrayFold(
            (acc, one) -> if(acc.2 + one.3 >= 20,
                (toInt64(0), toInt64(0), arrayPushBack(acc.3, (acc.1 + one.2, acc.2 + one.3))),
                (acc.1 + one.2, acc.2 + one.3, acc.3)),
            arraySort(groupArray((hour, k, n))),
            (toInt64(0), toInt64(0), CAST([], 'Array(Tuple(Int64, Int64))'))).3 AS stretches,
        arraySort(one -> if({below:UInt8}, 1, -1) * one.1 / one.2, stretches)[intDiv(2 * length(stretches), 100) + 1] AS bad,
        intDiv(100 * bad.1 + if({below:UInt8}, 0, bad.2 - 1), greatest(bad.2, 1)) AS whole,
        least(greatest(whole, 1), 99) AS percent,
        length(stretches) >= 10 AND if({below:UInt8}, percent * {target_den:Int64} < 100 * {target_num:Int64},
            percent * {target_den:Int64} > 100 * {target_num:Int64}) AS is_worse
    FROM hours
    INNER JOIN (SELECT DISTINCT labels, intDiv(at, 86400000) * 86400000 AS day FROM steps) AS days USING (labels)
    WHERE hour < day AND hour >= day - 28 * 86400000
    GROUP BY labels, day
),
-- 0 stands for the target of the rule.
judged AS (
    SELECT newest.*, toInt64(if(usual.is_worse, usual.percent, 0)) AS percent,
        if(percent = 0, {target_num:Int64}, percent) AS wanted, if(percent = 0, {target_den:Int64}, 100) AS of_all,
        if({below:UInt8}, fresh_k * of_all < fresh_n * wanted, fresh_k * of_all > fresh_n * wanted) AS fresh_is_off
    FROM (SELECT *, intDiv(at, 86400000) * 86400000 AS day FROM newest) AS newest
    LEFT JOIN usual ON newest.labels = usual.labels AND newest.day = usual.day
),
(SELECT arraySort(groupUniqArray(percent)) FROM judged) AS targets,
(SELECT toInt64(max(n - window_n[-1])) FROM looked) AS most,
-- The greatest number of successes of n that chance alone gives less often than p_value: target by target, n from 0 on.
(
    SELECT groupArray(critical) FROM (
        SELECT target, n,
            if({below:UInt8}, 1, -1) * (if(target = 0, {target_num:Int64} / {target_den:Int64}, target / 100) - 0.5) + 0.5 AS share,
            10 * sqrt(n * share * (1 - share)) + 30 AS wide,
            greatest(0, toInt64(floor(n * share - wide))) AS low,
            least(n, toInt64(ceil(n * share + wide))) AS high,
            low - 1 + arrayCount(tail -> tail < {p_value:Float64}, arrayCumSum(j ->
                exp(lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1) + j * log(share) + (n - j) * log(1 - share)),
                range(low, high + 1))) AS critical
        FROM (SELECT arrayJoin(targets) AS target, toInt64(arrayJoin(range(toUInt64(most + 1)))) AS n)
        ORDER BY target, n
    )
) AS criticals
SELECT labels, change.1 AS at, change.2 AS kind, change.3 AS opened_at, change.4 AS window_ms, change.5 AS successes, change.6 AS n
FROM (
    SELECT labels, arrayFold(
        (was, step) -> (
            multiIf((
                -- Nothing before the last restart counts.
                arrayMap((length, side) -> step.k - if(step.at - length < was.restart, was.restart_k, side),
                    {windows_ms:Array(Int64)}, step.window_k) AS own_k,
                arrayMap((length, side) -> step.n - if(step.at - length < was.restart, was.restart_n, side),
                    {windows_ms:Array(Int64)}, step.window_n) AS own_n,
                arrayFirstIndex((good, all) -> all >= {min_samples:Int64}
                    AND if({below:UInt8}, good, all - good) <= criticals[step.offset + all], own_k, own_n) AS place,
                step.fresh_is_off AND step.fresh_from >= greatest(step.at - {windows_ms:Array(Int64)}[-1], was.restart) AS is_off,
                place > 0 AND is_off AS breaches,
                step.n = step.window_n[1] AS is_quiet,
                multiIf(
                    was.state = 2 AND is_quiet, if(was.silent + {step_ms:Int64} >= {expire_ms:Int64}, 'expired', ''),
                    was.state = 2, if(NOT is_off AND was.clear + {step_ms:Int64} >= {keep_ms:Int64}, 'resolved', ''),
                    is_quiet OR NOT breaches, '',
                    was.state = 0, if({for_ms:Int64} = 0, 'firing', ''),
                    was.breached + {step_ms:Int64} >= {for_ms:Int64}, 'firing', '') AS change,
                change IN ('resolved', 'expired') AS ends).7 = 'firing', 2,
                ends, 0, was.state = 2, 2, is_quiet, was.state, breaches, 1, 0)::Int64 AS state_,
            multiIf(ends, 0, was.state > 0 AND (was.state = 2 OR is_quiet OR breaches), was.since, breaches AND NOT is_quiet, step.at, 0)::Int64 AS since_,
            if(was.state = 1 AND change = '' AND (breaches OR is_quiet), was.breached + if(is_quiet, 0, {step_ms:Int64}), 0)::Int64,
            if(was.state = 2 AND NOT ends AND (is_quiet OR NOT is_off), was.clear + if(is_quiet, 0, {step_ms:Int64}), 0)::Int64,
            if(was.state = 2 AND NOT ends AND is_quiet, was.silent + {step_ms:Int64}, 0)::Int64,
            if(ends, step.at, was.restart)::Int64,
            if(ends, step.k, was.restart_k)::Int64,
            if(ends, step.n, was.restart_n)::Int64,
            if(change = '', was.changes, arrayPushBack(was.changes, (step.at, change, if(ends, was.since, since_),
                if(place = 0, 0, {windows_ms:Array(Int64)}[place]), if(place = 0, 0, own_k[place]), own_n[if(place = 0, -1, place)])
                ::Tuple(Int64, String, Int64, Int64, Int64, Int64)))
        )::Tuple(state Int64, since Int64, breached Int64, clear Int64, silent Int64, restart Int64, restart_k Int64, restart_n Int64,
            changes Array(Tuple(Int64, String, Int64, Int64, Int64, Int64))),
        steps_of,
        (0, 0, 0, 0, 0, 0, 0, 0, [])::Tuple(state Int64, since Int64, breached Int64, clear Int64, silent Int64, restart Int64, restart_k Int64,
            restart_n Int64, changes Array(Tuple(Int64, String, Int64, Int64, Int64, Int64)))).changes AS changes
    FROM (
        SELECT labels, arraySort(groupArray((at, k, n, window_k, window_n, fresh_from, fresh_is_off,
            (indexOf(targets, percent) - 1) * (most + 1) + 1)::Tuple(at Int64, k Int64, n Int64, window_k Array(Int64),
            window_n Array(Int64), fresh_from Int64, fresh_is_off UInt8, offset Int64))) AS steps_of
        FROM judged GROUP BY labels
    )
)
ARRAY JOIN changes AS change
ORDER BY at, labels
