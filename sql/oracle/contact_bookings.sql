-- What each contact as a whole adds to the KPI windows (docs/facts.md 6): a row per contact and time at which
-- something is booked. `ivr_legs` is the number of its legs that were abandoned in the IVR: no column of the table.
WITH
-- Each contact up to four times.
repeated AS (
    SELECT
        channel, direction, entry, entry_queue, queue AS final_queue, agent, team, reason, dimensions, customer_key, callback_of,
        rejected, end_type, end_detail, handled, transfers, reopens, contained, handle_ms, first_resolution_ms, full_resolution_ms, ivr_legs,
        handled AND direction = 'inbound' AND isNull(callback_of) AS judgeable,
        booking.1 AS booked, booking.2 AS booked_at
    FROM {contacts}
    ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
        ('started', toNullable(started_at)),
        ('ended', ended_at),
        ('resolved', if(end_type = 'resolved' AND end_detail != 'unresolved' AND isNotNull(full_resolution_ms),
            last_resolved_at, NULL)),
        ('first resolved', first_resolved_at)]) AS booking
)
SELECT
    intDiv(toUnixTimestamp64Milli(assumeNotNull(booked_at)), 60000) * 60000 AS minute_ms,
    channel,
    if(booked = 'started', entry_queue, final_queue) AS queue, agent, team, reason, dimensions,
    toInt64(booked = 'started') AS m_contacts,
    toInt64(booked = 'started' AND direction = 'inbound') AS m_contacts_inbound,
    toInt64(booked = 'started' AND direction != 'inbound') AS m_contacts_outbound,
    toInt64(booked = 'started' AND entry = 'ivr') AS m_contacts_ivr,
    toInt64(booked = 'started' AND entry = 'ivr' AND ivr_legs > 0) AS m_contacts_ivr_abandoned,
    if(booked = 'started', toInt64(ivr_legs), 0) AS m_ivr_abandoned,
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
    if(booked = 'resolved', ifNull(full_resolution_ms, 0), 0) AS m_resolution_ms,
    toInt64(booked = 'resolved') AS m_resolution_n,
    toInt64(booked = 'first resolved') AS m_ever_resolved,
    toInt64(booked = 'first resolved' AND reopens > 0) AS m_ever_reopened,
    if(booked = 'first resolved', ifNull(first_resolution_ms, 0), 0) AS m_first_resolution_ms,
    toInt64(booked = 'first resolved' AND isNotNull(first_resolution_ms)) AS m_first_resolution_n
FROM repeated
