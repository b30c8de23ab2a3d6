-- What each leg adds to the KPI windows (docs/facts.md 6): a row per leg and time at which something is booked.
-- Measures are called m_* here: an alias that is also a column of `legs` would be taken for it.
WITH
-- Target and the presence of a known wait.
weighed AS (
    SELECT
        channel, queue, agent, team, reason, entered_at, answered_at, ended_at, handled_at, leg,
        offered, handled, answered, abandoned, flow_out, waiting, transferred_out,
        queue_ms, handle_ms, talk_ms, acw_ms, hold_ms, hold_n,
        if(has({t_queues:Array(String)}, queue),
            {t_queue_ms:Array(Int64)}[indexOf({t_queues:Array(String)}, queue)],
            if(has({t_channels:Array(String)}, channel),
                {t_channel_ms:Array(Int64)}[indexOf({t_channels:Array(String)}, channel)],
                {t_default_ms:Int64})) AS target_ms,
        answered AND isNotNull(queue_ms) AS answer_known,
        abandoned AND isNotNull(queue_ms) AS abandon_known,
        abandon_known AND ifNull(queue_ms <= {short_abandon_ms:Int64}, 0) AS is_short,
        ifNull(queue_ms <= target_ms, 0) AS within,
        -- the least limit in seconds that the wait does not exceed, 0 beyond all
        arrayFirst(s -> ifNull(queue_ms <= s * 1000, 0), [10, 15, 20, 30, 45, 60, 90, 120, 180, 300]) AS wait_limit,
        arrayFilter(b -> b != '', [if(offered, 'entered', ''),
            if(handled AND isNotNull(handled_at), 'handled', ''),
            if(answered AND isNotNull(answered_at), 'answered', ''),
            if(abandoned AND isNotNull(ended_at), 'abandoned', '')]) AS booked
    FROM {legs}
),
-- Each leg up to four times.
repeated AS (
    SELECT *, at = 'entered' AS entering, at = 'handled' AS finishing, at = 'answered' AS answering,
        multiIf(entering, entered_at, finishing, assumeNotNull(handled_at), answering, assumeNotNull(answered_at),
            assumeNotNull(ended_at)) AS booked_at
    FROM weighed ARRAY JOIN booked AS at
)
SELECT
    intDiv(toUnixTimestamp64Milli(booked_at), 60000) * 60000 AS minute_ms,
    channel, queue, agent, team, reason,
    toInt64(entering) AS m_offered,
    toInt64(entering AND answered) AS m_answered,
    toInt64(entering AND abandoned) AS m_abandoned,
    toInt64(entering AND is_short) AS m_short_abandoned,
    toInt64(entering AND flow_out) AS m_flow_out,
    toInt64(entering AND waiting) AS m_waiting,
    if(entering AND answer_known, ifNull(queue_ms, 0), 0) AS m_wait_ms,
    toInt64(entering AND answer_known) AS m_wait_n,
    if(entering AND abandon_known, ifNull(queue_ms, 0), 0) AS m_abandon_wait_ms,
    toInt64(entering AND abandon_known) AS m_abandon_wait_n,
    if(entering, ifNull(queue_ms, 0), 0) AS m_queue_ms,
    toInt64(entering AND isNotNull(queue_ms)) AS m_queue_n,
    toInt64(entering AND answer_known AND within) AS m_answered_in_target,
    toInt64(entering AND abandon_known AND within) AS m_abandoned_in_target,
    toInt64(entering AND flow_out AND within) AS m_flow_out_in_target,
    toInt64(entering AND (answer_known OR (abandon_known AND NOT is_short))) AS m_service_level_n,
    if(entering AND answer_known AND leg = 1, ifNull(queue_ms, 0), 0) AS m_first_response_ms,
    toInt64(entering AND answer_known AND leg = 1) AS m_first_response_n,
    toInt64(entering AND answer_known AND wait_limit = 10) AS m_answered_wait_10,
    toInt64(entering AND answer_known AND wait_limit = 15) AS m_answered_wait_15,
    toInt64(entering AND answer_known AND wait_limit = 20) AS m_answered_wait_20,
    toInt64(entering AND answer_known AND wait_limit = 30) AS m_answered_wait_30,
    toInt64(entering AND answer_known AND wait_limit = 45) AS m_answered_wait_45,
    toInt64(entering AND answer_known AND wait_limit = 60) AS m_answered_wait_60,
    toInt64(entering AND answer_known AND wait_limit = 90) AS m_answered_wait_90,
    toInt64(entering AND answer_known AND wait_limit = 120) AS m_answered_wait_120,
    toInt64(entering AND answer_known AND wait_limit = 180) AS m_answered_wait_180,
    toInt64(entering AND answer_known AND wait_limit = 300) AS m_answered_wait_300,
    toInt64(entering AND abandon_known AND wait_limit = 10) AS m_abandoned_wait_10,
    toInt64(entering AND abandon_known AND wait_limit = 15) AS m_abandoned_wait_15,
    toInt64(entering AND abandon_known AND wait_limit = 20) AS m_abandoned_wait_20,
    toInt64(entering AND abandon_known AND wait_limit = 30) AS m_abandoned_wait_30,
    toInt64(entering AND abandon_known AND wait_limit = 45) AS m_abandoned_wait_45,
    toInt64(entering AND abandon_known AND wait_limit = 60) AS m_abandoned_wait_60,
    toInt64(entering AND abandon_known AND wait_limit = 90) AS m_abandoned_wait_90,
    toInt64(entering AND abandon_known AND wait_limit = 120) AS m_abandoned_wait_120,
    toInt64(entering AND abandon_known AND wait_limit = 180) AS m_abandoned_wait_180,
    toInt64(entering AND abandon_known AND wait_limit = 300) AS m_abandoned_wait_300,
    toInt64(finishing) AS m_handled,
    toInt64(finishing AND isNotNull(handle_ms)) AS m_handle_n,
    if(finishing, ifNull(handle_ms, 0), 0) AS m_handle_ms,
    if(finishing AND isNotNull(handle_ms), ifNull(talk_ms, 0), 0) AS m_talk_ms,
    if(finishing AND isNotNull(handle_ms), acw_ms, 0) AS m_acw_ms,
    if(finishing, hold_ms, 0) AS m_hold_ms,
    if(finishing, toInt64(hold_n), 0) AS m_hold_n,
    toInt64(finishing AND hold_n > 0) AS m_held,
    toInt64(finishing AND transferred_out) AS m_transferred_out,
    toInt64(answering) AS m_answers,
    toInt64(NOT (entering OR finishing OR answering)) AS m_abandonments
FROM repeated
