-- Columns of table `agent_quarters` (docs/facts.md 9), from facts of legs and raw agent events.
WITH
histories AS {histories},
-- A state lasts until the next event; the last one has none after it (0).
states AS (
    SELECT who, is_session, change.3 = 'available' AS is_idle, change.1 AS begin_ms, end_ms, change.4 AS named_team
    FROM (SELECT *, 0 AS is_session FROM histories)
    ARRAY JOIN history AS change, arrayShiftLeft(history.1, 1, 0) AS end_ms
    WHERE change.3 != 'offline' AND end_ms > begin_ms AND end_ms - begin_ms <= {agent_state_max_ms:Int64}
),
sessions AS (
    SELECT toString(agent) AS who, 1 AS is_session, 0 AS is_idle,
        assumeNotNull(toUnixTimestamp64Milli(answered_at)) AS begin_ms,
        assumeNotNull(toUnixTimestamp64Milli(handled_at)) AS end_ms, toString(team) AS named_team
    FROM {legs}
    WHERE handled AND agent != '' AND isNotNull(answered_at) AND isNotNull(handled_at)
        AND NOT has({async_channels:Array(String)}, channel) AND end_ms - begin_ms <= {stale_ms:Int64}
),
-- The part of each in each quarter. A session that ends as a quarter begins is finished in that quarter, in which
-- it has no length; a state does not meet it.
pieces AS (
    SELECT *, quarter, greatest(begin_ms, quarter * 900000) AS piece_ms,
        least(end_ms, (quarter + 1) * 900000) AS until_ms
    FROM (SELECT * FROM sessions UNION ALL SELECT * FROM states)
    ARRAY JOIN range(intDiv(begin_ms, 900000), intDiv(end_ms - 1 + is_session, 900000) + 1) AS quarter
),
-- States never overlap, so their lengths add up. What two sets have in common is what they are too long together.
measured AS (
    SELECT who, quarter,
        argMaxIf(named_team, (begin_ms, end_ms, named_team), named_team != '') AS last_team,
        toInt64(intervalLengthSumIf(piece_ms, until_ms, is_session)) AS busy,
        toInt64(sumIf(until_ms - piece_ms, is_session)) AS session_time,
        toInt64(sumIf(until_ms - piece_ms, NOT is_session)) AS logged,
        toInt64(intervalLengthSum(piece_ms, until_ms)) AS busy_or_logged,
        toInt64(intervalLengthSumIf(piece_ms, until_ms, is_session OR is_idle)) AS busy_or_idle,
        toInt64(countIf(is_session AND intDiv(end_ms, 900000) = quarter)) AS finished
    FROM pieces
    GROUP BY who, quarter
)
SELECT who AS agent, fromUnixTimestamp64Milli(quarter * 900000, 'UTC') AS window_start, last_team AS team,
    busy AS busy_ms, session_time AS session_ms, logged AS logged_ms, busy_or_idle - busy AS idle_ms,
    busy + logged - busy_or_logged AS logged_busy_ms, finished AS sessions
FROM measured
