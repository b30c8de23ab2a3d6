-- Columns of table `contacts`, from the fold's rows (docs/facts.md 4).
WITH
-- The contact's frame is the same on each of its rows, so any() of it is no choice. A row with leg 0 stands for
-- a contact without legs and must not count as one.
grouped AS (
    SELECT contact_id,
        any(channel) AS contact_channel, any(direction) AS contact_direction, any(entry) AS contact_entry,
        any(customer_key) AS contact_key, any(reason) AS contact_reason, any(contact_dimensions) AS own_dimensions,
        any(callback_of) AS contact_callback_of,
        any(parent_contact_id) AS contact_parent, any(consult_of) AS contact_consult_of,
        any(forwarded_from) AS contact_forwarded_from, any(started_ms) AS begin_ms, any(last_event_ms) AS latest_ms,
        any(last_active_ms) AS active_ms, any(level1_resolvable) AS level1, any(contact_flags) AS own_flags,
        argMax((closes, ended_ms, leg_end_type, leg_end_detail, leg_end_by), leg) AS own_end,
        -- an agent who talks on when a guest of a later leg has left
        argMaxIf((closes, ended_ms, leg_end_type, leg_end_detail, leg_end_by), (assumeNotNull(ended_ms), leg),
            closes AND is_handled) AS host_end,
        if(own_end.1 AND host_end.1 AND ifNull(host_end.2 > own_end.2, 0), host_end, own_end) AS last_leg,
        argMax(is_abandoned AND ifNull(leg_queue_ms <= {short_abandon_ms:Array(Int64)}[{limits}], 0), leg) AS last_is_short,
        minIfOrNull(ended_ms, leg_end_type = 'resolved') AS first_resolved_ms,
        maxIfOrNull(ended_ms, leg_end_type = 'resolved') AS last_resolved_ms,
        toUInt32(countIf(leg > 0)) AS leg_count,
        max(is_offered) AS any_offered, max(is_handled) AS any_handled,
        argMinIf(entered_ms, leg, is_offered) AS first_entered_ms,
        toUInt32(sum(is_transferred_out)) AS transfer_count,
        sumOrNull(leg_queue_ms) AS queued_ms, sumOrNull(leg_handle_ms) AS worked_ms,
        argMinIf(leg_queue, leg, leg_queue != '') AS first_queue,
        argMaxIf((leg_queue, leg_agent, leg_team), leg, is_handled) AS owner,
        countIf(is_reopened) AS reopened_legs,
        max(is_rejected) AS any_rejected,
        countIf(is_ivr_abandoned) AS ivr_legs,  -- no fact, but a measure booked by the contact
        argMinIf((closes, ended_ms), leg, closes) AS first_close,
        groupArrayArray(leg_flags) AS all_leg_flags,
        any(closed_ms) AS last_closed_ms,
        groupArrayArray(agent_times) AS replied, arrayConcat(groupArrayArray(openings), groupArrayArray(messages)) AS wrote,
        arraySort(groupArray((leg, is_offered, is_handled, leg_queue_ms))) AS course
    FROM {fold}
    WHERE has_life
    GROUP BY contact_id
),
-- Resolution times, and the customer who wrote again without the source saying "reopened".
judged AS (
    SELECT *,
        -- what was waited in queues until the first agent
        arrayFilter(l -> l.2, arraySlice(course, 1, if(any_handled, arrayFirstIndex(l -> l.3, course), length(course))))
            AS stays,
        contact_channel != 'voice' AND contact_direction = 'inbound' AS is_written,
        arraySort(arrayConcat(arrayMap(t -> (t, 0), arrayPushBack(wrote, begin_ms)), arrayMap(t -> (t, 1), replied)))
            AS exchange,
        -- carried along: since when the customer waits (-1: does not), replies, time and number of those after the
        -- first that were waited for, all waiting
        arrayFold((acc, x) -> if(x.2 = 0,
            (if(acc.1 < 0, x.1, acc.1), acc.2, acc.3, acc.4, acc.5),
            (toInt64(-1), acc.2 + 1, acc.3 + if(acc.1 >= 0 AND acc.2 > 0, x.1 - acc.1, 0),
                acc.4 + toInt64(acc.1 >= 0 AND acc.2 > 0), acc.5 + if(acc.1 >= 0, x.1 - acc.1, 0))),
            if(is_written, exchange, []), (toInt64(-1), toInt64(0), toInt64(0), toInt64(0), toInt64(0))) AS talk,
        first_resolved_ms - begin_ms AS first_raw,
        last_resolved_ms - begin_ms AS full_raw,
        multiIf(first_raw >= 0, first_raw, first_raw >= -{tolerance_ms:Int64}, 0, NULL) AS first_ms,
        multiIf(full_raw >= 0, full_raw, full_raw >= -{tolerance_ms:Int64}, 0, NULL) AS full_ms,
        reopened_legs = 0 AND has({async_channels:Array(String)}, contact_channel) AND first_close.1
            AND active_ms > ifNull(first_close.2, active_ms) AS reopen_implied
    FROM grouped
)
SELECT
    contact_id, contact_channel AS channel, contact_direction AS direction, contact_entry AS entry,
    contact_key AS customer_key, contact_reason AS reason, own_dimensions AS dimensions, contact_callback_of AS callback_of,
    contact_parent AS parent_contact_id,
    fromUnixTimestamp64Milli(begin_ms, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(if(any_offered, first_entered_ms, begin_ms), 'UTC') AS entered_at,
    fromUnixTimestamp64Milli(latest_ms, 'UTC') AS last_event_at,
    fromUnixTimestamp64Milli(if(last_leg.1, last_leg.2, NULL), 'UTC') AS ended_at,
    fromUnixTimestamp64Milli(first_resolved_ms, 'UTC') AS first_resolved_at,
    fromUnixTimestamp64Milli(last_resolved_ms, 'UTC') AS last_resolved_at,
    if(last_leg.1, last_leg.3, '') AS end_type,
    if(last_leg.1, last_leg.4, '') AS end_detail,
    if(last_leg.1, last_leg.5, '') AS end_by,
    first_queue AS entry_queue,
    if(owner.1 != '', owner.1, first_queue) AS queue,
    owner.2 AS agent, owner.3 AS team,
    leg_count AS legs, any_offered AS offered, any_handled AS handled, transfer_count AS transfers,
    queued_ms AS queue_ms, worked_ms AS handle_ms,
    first_ms AS first_resolution_ms, full_ms AS full_resolution_ms,
    toUInt32(if(reopen_implied, 1, reopened_legs)) AS reopens,
    last_leg.1 AND last_leg.5 = 'bot' AND NOT any_offered AND NOT any_handled AS contained,
    last_is_short AND NOT any_handled AS short_abandoned,
    any_offered AND any_handled AS answered,
    any_offered AND NOT any_handled AND last_leg.3 = 'abandoned' AS abandoned,
    if(empty(stays) OR arrayExists(l -> isNull(l.4), stays), NULL, arraySum(l -> assumeNotNull(l.4), stays)) AS wait_ms,
    toUInt32(talk.2) AS agent_replies, talk.3 AS reply_ms, toUInt32(talk.4) AS reply_n,
    talk.5 + if(talk.1 >= 0 AND last_leg.1, greatest(ifNull(last_leg.2, 0) - talk.1, 0), 0) AS customer_wait_ms,
    fromUnixTimestamp64Milli(nullIf(last_closed_ms, 0), 'UTC') AS closed_at,
    contact_consult_of AS consult_of, contact_forwarded_from AS forwarded_from,
    any_rejected AND NOT any_offered AND NOT any_handled AS rejected,
    level1 AS level1_resolvable,
    arraySort(arrayDistinct(arrayConcat(own_flags, all_leg_flags,
        if(reopen_implied, ['REOPEN_IMPLIED'], []),
        if(ifNull(first_raw < 0 AND isNotNull(first_ms), 0) OR ifNull(full_raw < 0 AND isNotNull(full_ms), 0),
            ['SKEW'], []),
        if(ifNull(first_raw < 0 AND isNull(first_ms), 0) OR ifNull(full_raw < 0 AND isNull(full_ms), 0),
            ['NEG'], [])))) AS flags{extra}
FROM judged
