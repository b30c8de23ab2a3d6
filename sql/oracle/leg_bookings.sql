-- What each leg adds to the KPI windows (docs/facts.md 6): a row per leg and time at which something is booked.
-- Measures are called m_* here: an alias that is also a column of `legs` would be taken for it.
WITH
-- Target and the presence of a known wait.
weighed AS (
    SELECT
        channel, queue, agent, team, reason, dimensions, entered_at, answered_at, ended_at, handled_at,
        end_type,
        offered, handled, answered, abandoned, flow_out, waiting, transferred_out,
        queue_ms, queue_business_ms, handle_ms, talk_ms, acw_ms, hold_ms, hold_n, first_reply, first_response_ms,
        first_response_created_ms,
        if(has({t_queues:Array(String)}, queue),
            {t_queue_ms:Array(Int64)}[indexOf({t_queues:Array(String)}, queue)],
            if(has({t_channels:Array(String)}, channel),
                {t_channel_ms:Array(Int64)}[indexOf({t_channels:Array(String)}, channel)],
                {t_default_ms:Int64})) AS target_ms,
        answered AND isNotNull(queue_ms) AS answer_known,
        abandoned AND isNotNull(queue_ms) AS abandon_known,
        abandon_known AND ifNull(queue_ms <= {short_abandon_ms:Int64}, 0) AS is_short,
        ifNull(queue_ms <= target_ms, 0) AS within,
        arrayFilter(b -> b != '', [if(offered OR isNotNull(first_response_ms) OR isNotNull(first_response_created_ms), 'entered', ''),
            if(handled AND isNotNull(handled_at), 'handled', ''),
            if(answered AND isNotNull(answered_at), 'answered', ''),
            if(abandoned AND isNotNull(ended_at), 'abandoned', ''),
            if(handled AND end_type = 'resolved', 'resolved', '')]) AS booked
    FROM {legs}
),
-- Each leg up to five times.
repeated AS (
    SELECT *, at = 'entered' AS entering, at = 'handled' AS finishing, at = 'answered' AS answering,
        at = 'resolved' AS resolving, at = 'abandoned' AS leaving,
        multiIf(entering, entered_at, finishing, assumeNotNull(handled_at), answering, assumeNotNull(answered_at),
            assumeNotNull(ended_at)) AS booked_at
    FROM weighed ARRAY JOIN booked AS at
)
SELECT
    intDiv(toUnixTimestamp64Milli(booked_at), 60000) * 60000 AS minute_ms,
    channel, queue, agent, team, reason, dimensions,
    toInt64(entering AND offered) AS m_offered,
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
    if(entering, ifNull(first_response_ms, 0), 0) AS m_first_response_ms,
    toInt64(entering AND isNotNull(first_response_ms)) AS m_first_response_n,
    if(entering, ifNull(first_response_created_ms, 0), 0) AS m_first_response_created_ms,
    toInt64(entering AND isNotNull(first_response_created_ms)) AS m_first_response_created_n,
    if(entering AND answer_known AND first_reply, ifNull(queue_ms, 0), 0) AS m_first_response_queued_ms,
    toInt64(entering AND answer_known AND first_reply) AS m_first_response_queued_n,
    if(entering AND answer_known, ifNull(queue_business_ms, 0), 0) AS m_wait_business_ms,
    if(entering, ifNull(queue_business_ms, 0), 0) AS m_queue_business_ms,
    if(entering AND answer_known AND first_reply, ifNull(queue_business_ms, 0), 0) AS m_first_response_business_ms,
    toInt64(entering AND answer_known AND ifNull(queue_business_ms <= target_ms, 0)) AS m_answered_in_target_business,
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
    toInt64(leaving) AS m_abandonments,
    toInt64(resolving) AS m_resolutions
FROM repeated
