-- How long agents were in each state, by quarter-hour (docs/facts.md 9): a row per state and quarter that it meets.
-- Events after {as_of_ms:Int64} are invisible, and the last state before it is open: it lasts until then.
WITH
histories AS {histories},
stints AS (
    SELECT who, change.1 AS begin_ms, change.3 AS state, change.4 AS named_team, change.5 AS named_reason,
        next_ms = 0 OR next_ms > {as_of_ms:Int64} AS is_open,
        if(is_open, {as_of_ms:Int64}, next_ms) AS end_ms,
        -- offline before, or nothing known
        before.3 IN ('', 'offline') OR begin_ms - before.1 > {agent_state_max_ms:Int64} AS logs_in
    FROM histories
    ARRAY JOIN history AS change, arrayShiftLeft(history.1, 1, 0) AS next_ms, arrayShiftRight(history, 1) AS before
    WHERE change.3 != 'offline' AND end_ms > begin_ms AND end_ms - begin_ms <= {agent_state_max_ms:Int64}
),
pieces AS (
    SELECT *, quarter, least(end_ms, (quarter + 1) * 900000) - greatest(begin_ms, quarter * 900000) AS piece_ms
    FROM stints
    ARRAY JOIN range(intDiv(begin_ms, 900000), intDiv(end_ms - 1, 900000) + 1) AS quarter
)
SELECT toInt64(quarter * 900000) AS minute_ms, who AS agent, named_team AS team, named_reason AS reason,
    piece_ms AS m_login_ms,
    if(state = 'available', piece_ms, 0) AS m_available_ms,
    if(state IN ('break', 'training', 'meeting'), piece_ms, 0) AS m_pause_ms,
    if(state = 'break', piece_ms, 0) AS m_break_ms,
    if(state = 'training', piece_ms, 0) AS m_training_ms,
    if(state = 'meeting', piece_ms, 0) AS m_meeting_ms,
    toInt64(logs_in AND intDiv(begin_ms, 900000) = quarter) AS m_logins,
    toInt64(is_open) AS m_open_states
FROM pieces
