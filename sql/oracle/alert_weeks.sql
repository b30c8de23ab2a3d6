-- The same time of the week on the clock of a zone, week by week: what came in some stretches (`lengths`: labels, at, number,
-- length) before it. Known are weeks from the first on in whose `reach_ms` anybody came, without holidays.
dues AS (
    SELECT at, week, at - week * 604800000 AS back,
        back + 1000 * (timeZoneOffset(toDateTime(intDiv(at, 1000), {zone:String})) - timeZoneOffset(toDateTime(intDiv(back, 1000), {zone:String}))) AS due,
        has({holidays:Array(Int64)}, intDiv(due - 1 + 1000 * timeZoneOffset(toDateTime(intDiv(due - 1, 1000), {zone:String})), 86400000)) AS is_free
    FROM (SELECT DISTINCT at FROM steps) ARRAY JOIN range(1 + {weeks:Int64}) AS week
),
firsts AS (
    SELECT labels, at, min(minute_ms) AS first_ms
    FROM (
        SELECT wanted.labels AS labels, at, due, minute_ms
        FROM (SELECT labels, at, due, due - {reach_ms:Int64} AS since FROM steps INNER JOIN dues USING (at) WHERE week > 0) AS wanted
        ASOF INNER JOIN minutes ON wanted.labels = minutes.labels AND wanted.since <= minutes.minute_ms
    )
    WHERE minute_ms < due GROUP BY labels, at
),
sides AS (
    SELECT labels, at, week, due, is_free, number, length, side, due - if(side = 1, 0, length) AS bound
    FROM (SELECT labels, at, week, due, is_free, number, length FROM lengths INNER JOIN dues USING (at)) ARRAY JOIN [1, -1] AS side
),
weekly AS (
    SELECT labels, at, number, length, week, due, is_free, sum(side * upto_n) AS came
    FROM (
        SELECT sides.labels AS labels, at, number, length, week, due, is_free, side, upto_n
        FROM sides ASOF LEFT JOIN totals ON sides.labels = totals.labels AND sides.bound > totals.minute_ms
    )
    GROUP BY labels, at, number, length, week, due, is_free
),
compared AS (
    SELECT labels, at, number, length,
        sumIf(came, week = 0) AS seen, maxIf(is_free, week = 0) AS is_holiday,
        countIf(is_known) AS known_weeks, sumIf(came, is_known) AS total
    FROM (
        SELECT weekly.labels AS labels, weekly.at AS at, number, length, week, is_free, came,
            week > 0 AND NOT is_free AND first_ms != 0 AND {known} AS is_known
        FROM weekly LEFT JOIN firsts ON weekly.labels = firsts.labels AND weekly.at = firsts.at
    )
    GROUP BY labels, at, number, length
)
