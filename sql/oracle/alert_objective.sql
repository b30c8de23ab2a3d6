-- Changes of a rule of `type: objective` or `matured`, decided again from minutes (docs/guide/alerts.md): independent of
-- kpis/dips, but for the definition. Steps are the ends of (from_ms, to_ms]; nothing fires before the first one.
WITH
{counts},
looked AS (
    SELECT labels, at, part, sides[1].2 AS k, sides[1].3 AS n,
        arrayPopFront(arrayMap(side -> side.2, sides)) AS window_k, arrayPopFront(arrayMap(side -> side.3, sides)) AS window_n
    FROM before
),
-- The newest contacts: the shortest stretch of minutes with at least so many.
newest AS (
    SELECT looked.labels AS labels, at, looked.part AS part, k, n, window_k, window_n,
        toInt64(minute_ms + looked.part * {part_ms:Int64}) AS fresh_from, k - before_k AS fresh_k, n - before_n AS fresh_n
    FROM (SELECT *, n - {fresh_min:Int64} AS wanted FROM looked) AS looked
    ASOF LEFT JOIN totals
        ON looked.labels = totals.labels AND looked.part = totals.part AND looked.wanted >= totals.before_n
),
-- What is usual for a queue: stretches of 28 days before a day, hour by hour, of at least 20 contacts; in the first days up to the hour.
hours AS (
    SELECT labels, intDiv(minute_ms, 3600000) * 3600000 AS hour, sum(counted) AS n, least(greatest(sum(good), 0), n) AS k
    FROM sums WHERE {usual:UInt8} GROUP BY labels, hour HAVING n > 0
),
moments AS (
    SELECT DISTINCT labels, intDiv(at, 86400000) * 86400000 AS day, arrayJoin([day, intDiv(at, 3600000) * 3600000]) AS until FROM steps
),
usual AS (
    SELECT labels, day, until,
        arrayFold(
            (acc, one) -> if(acc.2 + one.3 >= 20,
                (toInt64(0), toInt64(0), arrayPushBack(acc.3, (acc.1 + one.2, acc.2 + one.3))),
                (acc.1 + one.2, acc.2 + one.3, acc.3)),
            arraySort(groupArray((hour, k, n))),
            (toInt64(0), toInt64(0), CAST([], 'Array(Tuple(Int64, Int64))'))).3 AS stretches,
        arraySort(one -> if({below:UInt8}, 1, -1) * one.1 / one.2, stretches)[intDiv(2 * length(stretches), 100) + 1] AS bad,
        intDiv(100 * bad.1 + if({below:UInt8}, 0, bad.2 - 1), greatest(bad.2, 1)) AS whole,
        least(greatest(whole, 1), 99) AS percent,
        {targets:Array(Tuple(Int64, Int64))}[1] AS wanted,
        length(stretches) >= 30 AS is_enough,
        is_enough AND if({below:UInt8}, percent * wanted.2 < 100 * wanted.1, percent * wanted.2 > 100 * wanted.1) AS is_worse,
        sum(n) >= 20 AND if({below:UInt8}, sum(k) * wanted.2 >= sum(n) * wanted.1, sum(k) * wanted.2 <= sum(n) * wanted.1) AS is_met
    FROM hours
    INNER JOIN moments USING (labels)
    WHERE hour < until AND hour >= day - 28 * 86400000
    GROUP BY labels, day, until
),
-- The target, and whether it can be judged by.
judged AS (
    SELECT newest.labels AS labels, newest.at AS at, newest.part AS part, newest.k AS k, newest.n AS n, newest.window_k AS window_k,
        newest.window_n AS window_n, newest.fresh_from AS fresh_from, newest.fresh_k AS fresh_k, newest.fresh_n AS fresh_n,
        {targets:Array(Tuple(Int64, Int64))}[indexOf({parts:Array(UInt16)}, part)] AS own,
        if(by_day.is_enough, (by_day.is_worse, by_day.percent), (by_hour.is_worse, by_hour.percent)) AS bad_hours,
        (if(bad_hours.1, toInt64(bad_hours.2), own.1), if(bad_hours.1, toInt64(100), own.2),
            NOT {usual:UInt8} OR by_day.is_enough OR by_hour.is_enough OR by_hour.is_met)::Tuple(Int64, Int64, UInt8) AS target,
        if({below:UInt8}, fresh_k * target.2 < fresh_n * target.1, fresh_k * target.2 > fresh_n * target.1) AS fresh_is_off
    FROM (SELECT *, intDiv(at, 86400000) * 86400000 AS day, intDiv(at, 3600000) * 3600000 AS hour FROM newest) AS newest
    LEFT JOIN usual AS by_day ON newest.labels = by_day.labels AND newest.day = by_day.until AND newest.day = by_day.day
    LEFT JOIN usual AS by_hour ON newest.labels = by_hour.labels AND newest.hour = by_hour.until AND newest.day = by_hour.day
),
(SELECT arraySort(groupUniqArray(target)) FROM judged) AS targets,
(SELECT toInt64(max(n - window_n[-1])) FROM looked) AS most,
-- The greatest number of successes of n that chance alone gives less often than p_value (3 of 3 at 0.1 not less often than
-- 0.001: what differs by less than rounding is the same), were the share wished for less by the
-- slack: target by target, n from 0 on.
(
    SELECT groupArray(critical) FROM (
        SELECT target, n,
            if({below:UInt8}, 1, -1) * (target.1 / target.2 - 0.5) + 0.5 AS wished,
            wished - {slack:Float64} * wished * (1 - wished) AS share,
            10 * sqrt(n * share * (1 - share)) + 30 AS wide,
            greatest(0, toInt64(floor(n * share - wide))) AS low,
            least(n, toInt64(ceil(n * share + wide))) AS high,
            if(target.3, low - 1 + arrayCount(tail -> tail < {p_value:Float64} * (1 - 1e-9), arrayCumSum(j ->
                exp(lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1) + j * log(share) + (n - j) * log(1 - share)),
                range(low, high + 1))), -1) AS critical
        FROM (SELECT arrayJoin(targets) AS target, toInt64(arrayJoin(range(toUInt64(most + 1)))) AS n)
        ORDER BY target, n
    )
) AS criticals
{machine}
