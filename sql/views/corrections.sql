-- Changes of published numbers, from the log of publications. A version says which offset of a partition it includes
-- (docs/internals/architecture.md), so what came between two versions of a window has moved it.
WITH
publications AS (
    SELECT window_start, channel, queue, days, partition, version, min(published_at) AS stored_at, any(measures) AS sums
    FROM published_windows
    WHERE {only}
    GROUP BY window_start, channel, queue, days, partition, version
),
steps AS (
    SELECT *, lagInFrame(sums) OVER earlier AS sums_before, lagInFrame(version) OVER earlier AS version_before,
        row_number() OVER earlier = 1 AS is_first
    FROM publications
    WINDOW earlier AS (PARTITION BY window_start, channel, queue, days, partition ORDER BY version
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
moved AS (
    SELECT window_start, channel, queue, days, partition, version, stored_at, measure,
        sums[measure] - sums_before[measure] AS step,
        if(is_first, -1, toInt64(intDiv(version_before % 1099511627776, 2)) - 1) AS after_offset,
        toInt64(intDiv(version % 1099511627776, 2)) - 1 AS upto_offset
    FROM steps ARRAY JOIN arrayDistinct(arrayConcat(mapKeys(sums), mapKeys(sums_before))) AS measure
    WHERE step != 0
),
summed AS (
    SELECT *, sum(step) OVER (PARTITION BY window_start, channel, queue, days, measure
        ORDER BY stored_at, partition, version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS value
    FROM moved
),
-- A window is a minute; what comes within the next one is no correction.
late AS (
    SELECT * FROM summed WHERE stored_at >= window_start + INTERVAL 2 MINUTE AND {measures}
),
-- What is booked for a contact, is booked at the time of one of its events.
came AS (
    SELECT minute, arrivals.partition AS source_partition, offset, contact_id, event_id, type, occurred_at, arrived_at
    FROM arrivals FINAL
    INNER JOIN (
        SELECT DISTINCT contact_id, toDateTime64(toStartOfMinute(occurred_at), 3, 'UTC') AS minute FROM events
        WHERE {near}
    ) AS booked USING (contact_id)
)
SELECT stored_at AS corrected_at, window_start, channel, queue, days, measure, value - step AS old_value, value AS new_value,
    if(version % 2 = 1, 'rebuild', 'events') AS cause,
    arraySort(groupUniqArrayIf((occurred_at, contact_id, event_id, toString(type),
        dateDiff('millisecond', occurred_at, arrived_at)),
        contact_id != '' AND days = 0 AND version % 2 = 0 AND offset > after_offset AND offset <= upto_offset)) AS events
FROM late LEFT JOIN came ON window_start = minute AND partition = source_partition
GROUP BY corrected_at, window_start, channel, queue, days, partition, version, measure, old_value, new_value
