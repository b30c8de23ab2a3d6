-- What each contact as a whole adds to the KPI windows (docs/facts.md 6): a row per contact and time at which
-- something is booked. `ivr_legs` is the number of its legs that were abandoned in the IVR: no column of the table.
WITH
-- Each contact up to six times; an agent's inquiry is none. T is that of its first queue.
repeated AS (
    SELECT
        {own}channel, direction, entry, entry_queue, queue AS final_queue, agent, team, reason, dimensions, customer_key, callback_of,
        rejected, end_type, end_detail, handled, transfers, reopens, contained, handle_ms, first_resolution_ms, full_resolution_ms, ivr_legs,
        answered, abandoned, wait_ms, queue_ms, agent_replies, reply_ms, reply_n, customer_wait_ms,
        handled AND direction = 'inbound' AND channel != 'voice' AS is_written,
        end_type = 'resolved' AND end_detail != 'unresolved' AS is_solved, isNotNull(ended_at) AS has_ended,
        {limits} AS limits,
        answered AND isNotNull(wait_ms) AS answer_known,
        abandoned AND isNotNull(wait_ms) AS abandon_known,
        abandon_known AND ifNull(wait_ms <= {short_abandon_ms:Array(Int64)}[limits], 0) AS is_short,
        {target} AS target_ms,
        handled AND direction = 'inbound' AND isNull(callback_of) AS judgeable,
        booking.1 AS booked, booking.2 AS booked_at, started_at, {calendar_number} AS calendar
    FROM {contacts}
    ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
        ('started', toNullable(started_at)),
        ('entered', if(offered, toNullable(entered_at), NULL)),
        ('ended', ended_at),
        ('closed', closed_at),
        ('resolved', if(end_type = 'resolved' AND end_detail != 'unresolved' AND isNotNull(full_resolution_ms),
            last_resolved_at, NULL)),
        ('first resolved', first_resolved_at)]) AS booking
    WHERE isNull(consult_of)
)
SELECT
    intDiv(toUnixTimestamp64Milli(assumeNotNull(booked_at)), 60000) * 60000 AS minute_ms,
    {by}channel,
    if(booked IN ('started', 'entered'), entry_queue, final_queue) AS queue, agent, team, reason, dimensions,
    toInt64(booked = 'started') AS m_contacts,
    toInt64(booked = 'started' AND direction = 'inbound') AS m_contacts_inbound,
    toInt64(booked = 'started' AND direction != 'inbound') AS m_contacts_outbound,
    toInt64(booked = 'started' AND entry = 'ivr') AS m_contacts_ivr,
    toInt64(booked = 'started' AND entry = 'ivr' AND ivr_legs > 0) AS m_contacts_ivr_abandoned,
    if(booked = 'started', toInt64(ivr_legs), 0) AS m_ivr_abandoned,
    toInt64(booked = 'entered') AS m_contact_offered,
    toInt64(booked = 'entered' AND answered) AS m_contact_answered,
    toInt64(booked = 'entered' AND abandoned) AS m_contact_abandoned,
    toInt64(booked = 'entered' AND is_short) AS m_contact_short_abandoned,
    toInt64(booked = 'entered' AND NOT answered AND NOT has_ended) AS m_contact_waiting,
    if(booked = 'entered' AND answer_known, ifNull(wait_ms, 0), 0) AS m_contact_wait_ms,
    toInt64(booked = 'entered' AND answer_known) AS m_contact_wait_n,
    if(booked = 'entered' AND abandon_known, ifNull(wait_ms, 0), 0) AS m_contact_abandon_wait_ms,
    toInt64(booked = 'entered' AND abandon_known) AS m_contact_abandon_wait_n,
    if(booked = 'entered', ifNull(queue_ms, 0), 0) AS m_contact_queue_ms,
    toInt64(booked = 'entered' AND isNotNull(queue_ms)) AS m_contact_queue_n,
    toInt64(booked = 'entered' AND answer_known AND ifNull(wait_ms <= target_ms, 0)) AS m_contact_in_target,
    toInt64(booked = 'entered' AND (answer_known OR (abandon_known AND NOT is_short))) AS m_contact_service_level_n,
    toInt64(booked = 'started' AND rejected) AS m_rejected,
    toInt64(booked = 'started' AND rejected AND end_type = 'rejected' AND end_detail = 'closed') AS m_rejected_closed,
    toInt64(booked = 'started' AND rejected AND end_type = 'rejected' AND end_detail = 'full') AS m_rejected_full,
    toInt64(booked = 'started' AND rejected AND end_type = 'rejected' AND end_detail = 'empty') AS m_rejected_empty,
    toInt64(booked = 'started' AND rejected AND end_type = 'rejected' AND end_detail = 'blocked') AS m_rejected_blocked,
    toInt64(booked = 'ended') AS m_ended,
    toInt64(booked = 'ended' AND handled) AS m_ended_handled,
    if(booked = 'ended', ifNull(handle_ms, 0), 0) AS m_contact_handle_ms,
    toInt64(booked = 'ended' AND handled AND transfers > 0) AS m_ended_transferred,
    toInt64(booked = 'ended' AND entry = 'bot') AS m_ended_bot,
    toInt64(booked = 'ended' AND contained AND entry = 'bot') AS m_contained,
    toInt64(booked = 'ended' AND judgeable) AS m_ended_judgeable,
    toInt64(booked = 'ended' AND judgeable AND isNotNull(customer_key)) AS m_ended_known,
    toInt64(booked = 'ended' AND is_written) AS m_written,
    toInt64(booked = 'ended' AND is_written AND is_solved) AS m_written_solved,
    toInt64(booked = 'ended' AND is_written AND is_solved AND agent_replies < 2) AS m_one_touch,
    if(booked = 'ended' AND is_written, toInt64(agent_replies), 0) AS m_replies,
    if(booked = 'ended' AND is_written, reply_ms, 0) AS m_reply_ms,
    if(booked = 'ended' AND is_written, toInt64(reply_n), 0) AS m_reply_n,
    if(booked = 'ended' AND is_written, customer_wait_ms, 0) AS m_customer_wait_ms,
    toInt64(booked = 'closed') AS m_closed,
    if(booked = 'resolved', ifNull(full_resolution_ms, 0), 0) AS m_resolution_ms,
    toInt64(booked = 'resolved') AS m_resolution_n,
    if(booked = 'resolved' AND isNotNull(full_resolution_ms), {full_business}, 0) AS m_resolution_business_ms,
    toInt64(booked = 'first resolved') AS m_ever_resolved,
    toInt64(booked = 'first resolved' AND reopens > 0) AS m_ever_reopened,
    if(booked = 'first resolved', ifNull(first_resolution_ms, 0), 0) AS m_first_resolution_ms,
    toInt64(booked = 'first resolved' AND isNotNull(first_resolution_ms)) AS m_first_resolution_n,
    if(booked = 'first resolved' AND isNotNull(first_resolution_ms), {first_business}, 0)
        AS m_first_resolution_business_ms
FROM repeated
