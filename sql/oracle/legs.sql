-- Columns of table `legs`, from the fold's rows.
WITH
-- Each leg with what is before it.
neighbours AS (
    SELECT * EXCEPT (survey_events, contact_flags),
        lagInFrame(toNullable(ended_ms)) OVER earlier AS end_before, lagInFrame(closes) OVER earlier AS closed_before
    FROM {fold}
    WHERE leg > 0
    WINDOW earlier AS (PARTITION BY contact_id ORDER BY leg ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- The contact's first human reply, (0, 0) for none; when people were first asked; the customer's other openings.
replied AS (
    SELECT *,
        minIf((assumeNotNull(reply_ms), leg), isNotNull(reply_ms)) OVER contact AS reply,
        argMin(multiIf(isNotNull(reopened_ms), assumeNotNull(reopened_ms), isNull(end_before), started_ms,
            closed_before, entered_ms, assumeNotNull(end_before)), (NOT (is_offered OR is_handled), leg))
            OVER contact AS handed_over_ms,
        groupArrayArray(openings) OVER contact AS all_openings
    FROM neighbours
    WINDOW contact AS (PARTITION BY contact_id)
),
responded AS (
    SELECT *,
        channel != 'voice' AND direction = 'inbound' AND leg = reply.2 AS is_first_reply,
        reply.1 - arrayMax(arrayConcat([handed_over_ms], arrayFilter(t -> t <= reply.1, all_openings)))
            AS response_raw,
        reply.1 - started_ms AS created_raw,
        if(is_first_reply AND created_raw >= -{tolerance_ms:Int64}, greatest(created_raw, 0), NULL) AS created_ms,
        {calendar_number} AS calendar
    FROM replied
)
SELECT
    contact_id, leg, channel, direction,
    leg_queue AS queue, leg_agent AS agent, leg_team AS team, reason, leg_dimensions AS dimensions,
    fromUnixTimestamp64Milli(entered_ms, 'UTC') AS entered_at,
    fromUnixTimestamp64Milli(answered_ms, 'UTC') AS answered_at,
    fromUnixTimestamp64Milli(ended_ms, 'UTC') AS ended_at,
    fromUnixTimestamp64Milli(handled_ms, 'UTC') AS handled_at,
    leg_end_type AS end_type, leg_end_detail AS end_detail,
    is_offered AS offered, is_handled AS handled, is_answered AS answered, is_abandoned AS abandoned,
    is_ivr_abandoned AS ivr_abandoned, is_rejected AS rejected, is_flow_out AS flow_out, is_waiting AS waiting,
    is_transferred_out AS transferred_out, is_hold_abandon AS hold_abandon,
    leg_queue_ms AS queue_ms, leg_queue_business_ms AS queue_business_ms,
    leg_talk_ms AS talk_ms, leg_hold_ms AS hold_ms, leg_hold_n AS hold_n,
    leg_hold_max_ms AS hold_max_ms, leg_acw_ms AS acw_ms, acw_is_known AS acw_known,
    leg_handle_ms AS handle_ms,
    is_first_reply AS first_reply,
    if(is_first_reply AND response_raw >= -{tolerance_ms:Int64}, greatest(response_raw, 0), NULL)
        AS first_response_ms,
    created_ms AS first_response_created_ms,
    if(isNull(created_ms), NULL, {created_business}) AS first_response_created_business_ms,
    leg_flags AS flags
FROM responded
