-- What each candidate adds to first contact resolution (docs/facts.md 8): a row per candidate, length of the
-- window in days and time at which something is booked.
WITH
-- Each candidate once per length.
judged AS (
    SELECT
        {also}channel, queue, agent, team, reason, begins_at, ended_at,
        anchor != 0 AS is_anchor, failed != 0 AS failed_itself, level1_resolvable != 0 AS level1,
        transferred != 0 AS passed_on,
        toUInt16(length_days) AS window_days,
        toInt64(length_days) * 86400000 AS length_ms,
        toUnixTimestamp64Milli(begins_at) AS begin_ms,
        toUnixTimestamp64Milli(ended_at) AS end_ms,
        ifNull(toUnixTimestamp64Milli(next_at) <= end_ms + length_ms, 0) AS returned,
        ifNull(begin_ms <= toUnixTimestamp64Milli(previous_end_at) + length_ms, 0) AS is_repeat,
        is_anchor AND level1 AS is_level1,
        is_anchor AND (failed_itself OR returned) AS did_fail,
        is_anchor AND NOT is_repeat AS is_first
    FROM {fcr} ARRAY JOIN {days} AS length_days
),
-- And each up to twice: at its beginning, and at its end.
doubled AS (
    SELECT *, booking.1 AS ending, booking.2 AS booked_ms
    FROM judged
    ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [(0, toNullable(begin_ms)), (1, end_ms)]) AS booking
)
SELECT
    intDiv(assumeNotNull(booked_ms), 60000) * 60000 AS minute_ms,
    window_days AS days,
    {also}channel, queue, agent, team, reason,
    toInt64(ending AND is_anchor) AS m_anchors,
    toInt64(ending AND is_level1) AS m_anchors_level1,
    toInt64(ending AND returned) AS m_repeated,
    toInt64(ending AND did_fail) AS m_failed,
    toInt64(ending AND did_fail AND is_level1) AS m_failed_level1,
    toInt64(ending AND is_anchor AND NOT did_fail AND NOT passed_on) AS m_one_stop,
    toInt64(ending AND is_first) AS m_episodes,
    toInt64(ending AND is_first AND NOT did_fail) AS m_one_and_done,
    toInt64(NOT ending) AS m_candidates,
    toInt64(NOT ending AND is_repeat) AS m_repeats
FROM doubled
