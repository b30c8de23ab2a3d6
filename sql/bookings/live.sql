-- What each leg is at a moment (docs/facts.md 10): one row per leg that had entered by then.
WITH
-- Where it stands, and its target.
placed AS (
    SELECT
        channel, queue, agent, team, reason, dimensions, leg_entered_ms, queue_ms, leg_handled, leg_offered, leg_answered,
        leg_abandoned, leg_flow_out, leg_acw_known, answer_ms, end_ms, finish_ms,
        {as_of_ms:Int64} AS now_ms,
        has({async_channels:Array(String)}, channel) AS is_async,
        if(is_async, {stale_async_ms:Int64}, {stale_ms:Int64}) AS stale_after_ms,
        {limits} AS limits,
        {target} AS target_ms,
        ifNull(answer_ms <= now_ms, 0) AS was_answered,
        ifNull(end_ms <= now_ms, 0) AS has_ended,
        leg_offered AND NOT was_answered AND NOT has_ended AND now_ms - leg_entered_ms < stale_after_ms
            AND NOT (leg_handled AND isNull(answer_ms)) AS in_queue
    FROM (
        SELECT channel, queue, agent, team, reason, dimensions, queue_ms,
            toUnixTimestamp64Milli(entered_at) AS leg_entered_ms,
            toUnixTimestamp64Milli(answered_at) AS answer_ms,
            toUnixTimestamp64Milli(ended_at) AS end_ms,
            toUnixTimestamp64Milli(handled_at) AS finish_ms,
            handled != 0 AS leg_handled, offered != 0 AS leg_offered, answered != 0 AS leg_answered,
            abandoned != 0 AS leg_abandoned, flow_out != 0 AS leg_flow_out, acw_known != 0 AS leg_acw_known
        FROM {legs}
        WHERE entered_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    )
),
-- Whether the service level has a verdict on it: none while it waits within the target, or its wait is unknown.
decided AS (
    SELECT *,
        leg_offered AND NOT in_queue AND isNotNull(queue_ms) AND (was_answered OR has_ended) AS is_over,
        ifNull(queue_ms <= target_ms, 0) AS within
    FROM placed
)
SELECT
    leg_entered_ms AS entered_ms,
    channel, queue, agent, team, reason, dimensions,
    toInt64(in_queue) AS m_waiting_now,
    toInt64(leg_handled AND was_answered AND NOT has_ended AND now_ms - ifNull(answer_ms, 0) < stale_after_ms)
        AS m_active_now,
    toInt64(leg_handled AND has_ended AND NOT is_async
        AND (ifNull(finish_ms > now_ms, 0)
            OR (NOT leg_acw_known AND now_ms - ifNull(end_ms, 0) < {acw_stale_ms:Int64}))) AS m_acw_now,
    toInt64(is_over AND leg_answered AND within) AS m_live_in_target,
    toInt64(multiIf(
        in_queue, now_ms - leg_entered_ms > target_ms,
        NOT is_over, 0,
        leg_answered, 1,
        leg_abandoned, NOT ifNull(queue_ms <= {short_abandon_ms:Array(Int64)}[limits], 0),
        leg_flow_out AND NOT within)) AS m_live_n,
    if(in_queue, toNullable(now_ms - leg_entered_ms), NULL) AS age_ms
FROM decided
