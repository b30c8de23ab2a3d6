-- Counts minute by minute of a rule's label sets, and the steps (ends of minutes of event time) at which it is judged.
-- `part` is what is counted apart: cohorts of repeat contacts by their age in days (part_ms is a day then), or logarithms.
sums AS (
    SELECT {part} AS part, {labels} AS labels, minute_ms, toInt64({num}) AS good, toInt64({den}) AS counted
    FROM {source}
    WHERE {applies}
),
minutes AS (
    SELECT part, labels, minute_ms, sum(counted) AS n, {together} AS k
    FROM sums GROUP BY part, labels, minute_ms
    HAVING n > 0 OR (n = 0 AND k != 0)
),
totals AS (
    SELECT part, labels, minute_ms,
        sum(k) OVER upto AS upto_k, sum(n) OVER upto AS upto_n, upto_k - k AS before_k, upto_n - n AS before_n
    FROM minutes
    WINDOW upto AS (PARTITION BY part, labels ORDER BY minute_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
steps AS (
    SELECT labels, arrayJoin(range(assumeNotNull({from_ms:Int64}) + {step_ms:Int64}, {to_ms:Int64} + 1, {step_ms:Int64})) AS at
    FROM (SELECT DISTINCT labels FROM minutes)
),
-- Sums of all that lay before some moments before each step; a cohort is looked at as it was when it had its age.
before AS (
    SELECT labels, at, part, arraySort(groupArray((number, before_k, before_n))) AS sides
    FROM (
        SELECT bounds.labels AS labels, at, bounds.part AS part, number, upto_k AS before_k, upto_n AS before_n
        FROM (
            SELECT labels, at, part, number, at - part * {part_ms:Int64} - back AS bound
            FROM (SELECT labels, at, arrayJoin({parts:Array(UInt16)}) AS part FROM steps)
            ARRAY JOIN {backs_ms:Array(Int64)} AS back, range(length({backs_ms:Array(Int64)})) AS number
        ) AS bounds
        ASOF LEFT JOIN totals
            ON bounds.labels = totals.labels AND bounds.part = totals.part AND bounds.bound > totals.minute_ms
    )
    GROUP BY labels, at, part
)
