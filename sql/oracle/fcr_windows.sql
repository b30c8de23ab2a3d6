-- Columns of table `fcr_windows` (without version; partition only where asked for), from facts of table `fcr` (docs/facts.md 8).
WITH
-- Each fact up to twice: at the end of an anchor, at the beginning of a candidate. For each length of the window
-- its verdicts, in the order of windows_days.
booked AS (
    SELECT {own}channel AS own_channel, queue AS own_queue, failed AS has_failed, transferred AS was_moved,
        level1_resolvable AS level1, booking.1 AS is_end,
        intDiv(toUnixTimestamp64Milli(assumeNotNull(booking.2)), 60000) * 60000 AS minute_ms,
        arrayMap(w -> is_end AND ifNull(next_at <= ended_at + toIntervalDay(w), 0),
            {windows_days:Array(UInt16)}) AS comes_back,
        arrayMap(w -> ifNull(begins_at <= previous_end_at + toIntervalDay(w), 0),
            {windows_days:Array(UInt16)}) AS came_back
    FROM {fcr}
    ARRAY JOIN if(anchor, [(1, ended_at), (0, toNullable(begins_at))], [(0, toNullable(begins_at))]) AS booking
),
summed AS (
    SELECT minute_ms, {by}own_channel, own_queue,
        countIf(is_end) AS ended, countIf(is_end AND level1) AS ended_level1, countIf(NOT is_end) AS begun,
        sumForEach(arrayMap(r -> toInt64(r), comes_back)) AS come_back,
        sumForEach(arrayMap(r -> toInt64(is_end AND (has_failed OR r)), comes_back)) AS fail,
        sumForEach(arrayMap(r -> toInt64(is_end AND level1 AND (has_failed OR r)), comes_back)) AS fail_level1,
        sumForEach(arrayMap(r -> toInt64(is_end AND NOT has_failed AND NOT r AND NOT was_moved), comes_back)) AS one,
        sumForEach(arrayMap(b -> toInt64(is_end AND NOT b), came_back)) AS first,
        sumForEach(arrayMap((r, b) -> toInt64(is_end AND NOT b AND NOT has_failed AND NOT r),
            comes_back, came_back)) AS only,
        sumForEach(arrayMap(b -> toInt64(NOT is_end AND b), came_back)) AS again
    FROM booked
    GROUP BY minute_ms, {by}own_channel, own_queue
)
SELECT fromUnixTimestamp64Milli(minute_ms, 'UTC') AS window_start, {by}own_channel AS channel, own_queue AS queue, days,
    toInt64(ended) AS anchors, toInt64(ended_level1) AS anchors_level1, repeated_n AS repeated, failed_n AS failed,
    failed_level1_n AS failed_level1, one_stop_n AS one_stop, episodes_n AS episodes,
    one_and_done_n AS one_and_done, toInt64(begun) AS candidates, repeats_n AS repeats
FROM summed
ARRAY JOIN {windows_days:Array(UInt16)} AS days, come_back AS repeated_n, fail AS failed_n,
    fail_level1 AS failed_level1_n, one AS one_stop_n, first AS episodes_n, only AS one_and_done_n,
    again AS repeats_n
