-- Columns of table `legs`, from the fold's rows.
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
    leg_handle_ms AS handle_ms, leg_flags AS flags
FROM {fold}
WHERE leg > 0
