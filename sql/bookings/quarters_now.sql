-- Quarter-hours of agents at {as_of_ms:Int64} (docs/facts.md 9): of agents who are in a state, or talking, then the
-- last ones are computed anew, with what is open up to that moment; of all others, and before, they are as kept.
WITH
intDiv({as_of_ms:Int64} - greatest({agent_state_max_ms:Int64}, {stale_ms:Int64}), 900000) AS first_quarter,
near AS (
    SELECT * FROM agent_events
    WHERE (agent, event_id) IN (SELECT agent, event_id FROM agent_events
        WHERE toUnixTimestamp64Milli(occurred_at) >= first_quarter * 900000 - {agent_state_max_ms:Int64})
),
histories AS {histories},
states AS (
    SELECT who, 0 AS is_session, next_ms = 0 AS is_open, change.3 = 'available' AS is_idle, change.1 AS begin_ms,
        if(is_open, {as_of_ms:Int64}, next_ms) AS end_ms, change.4 AS named_team
    FROM histories
    ARRAY JOIN history AS change, arrayShiftLeft(history.1, 1, 0) AS next_ms
    WHERE change.3 != 'offline' AND end_ms > begin_ms AND end_ms - begin_ms <= {agent_state_max_ms:Int64}
),
sessions AS (
    SELECT toString(agent) AS who, 1 AS is_session, isNull(handled_at) AS is_open, 0 AS is_idle,
        assumeNotNull(toUnixTimestamp64Milli(answered_at)) AS begin_ms,
        ifNull(toUnixTimestamp64Milli(handled_at), {as_of_ms:Int64}) AS end_ms, toString(team) AS named_team
    FROM {legs}
    WHERE handled AND agent != '' AND isNotNull(answered_at) AND NOT has({async_channels:Array(String)}, channel)
        AND end_ms - begin_ms <= {stale_ms:Int64} AND end_ms >= begin_ms + is_open
        AND end_ms >= first_quarter * 900000
),
known AS (SELECT * FROM sessions UNION ALL SELECT * FROM states),
present AS (SELECT DISTINCT who FROM known WHERE is_open),
pieces AS (
    SELECT *, quarter, greatest(begin_ms, quarter * 900000) AS piece_ms,
        least(end_ms, (quarter + 1) * 900000) AS until_ms
    FROM known
    ARRAY JOIN range(intDiv(begin_ms, 900000), intDiv(end_ms - 1 + is_session, 900000) + 1) AS quarter
    WHERE who IN present AND quarter >= first_quarter
),
measured AS (
    SELECT who, quarter,
        argMaxIf(named_team, (begin_ms, end_ms, named_team), named_team != '') AS last_team,
        toInt64(intervalLengthSumIf(piece_ms, until_ms, is_session)) AS busy,
        toInt64(sumIf(until_ms - piece_ms, is_session)) AS session_time,
        toInt64(sumIf(until_ms - piece_ms, NOT is_session)) AS logged,
        toInt64(intervalLengthSum(piece_ms, until_ms)) AS busy_or_logged,
        toInt64(intervalLengthSumIf(piece_ms, until_ms, is_session OR is_idle)) AS busy_or_idle,
        toInt64(countIf(is_session AND NOT is_open AND intDiv(end_ms, 900000) = quarter)) AS finished,
        toInt64(countIf(is_open AND until_ms > piece_ms)) AS open_here
    FROM pieces
    GROUP BY who, quarter
)
SELECT toString(agent) AS agent, window_start, toString(team) AS team, toInt64(busy_ms) AS busy_ms,
    toInt64(session_ms) AS session_ms, toInt64(logged_ms) AS logged_ms, toInt64(idle_ms) AS idle_ms,
    toInt64(logged_busy_ms) AS logged_busy_ms, toInt64(sessions) AS sessions, toInt64(0) AS open_pieces
FROM {quarters}
WHERE NOT (agent IN present AND toUnixTimestamp64Milli(window_start) >= first_quarter * 900000)
UNION ALL
SELECT who AS agent, fromUnixTimestamp64Milli(quarter * 900000, 'UTC') AS window_start, last_team AS team,
    busy AS busy_ms, session_time AS session_ms, logged AS logged_ms, busy_or_idle - busy AS idle_ms,
    busy + logged - busy_or_logged AS logged_busy_ms, finished AS sessions, open_here AS open_pieces
FROM measured
