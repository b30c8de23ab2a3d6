-- Columns of table `fcr` (docs/facts.md 8), from a relation with the columns of `contacts`. A time of 0 stands for
-- none: no event is of 1970.
WITH
-- What is asked of a contact whose customer is known.
visits AS (
    SELECT assumeNotNull(customer_key) AS customer, contact_id AS visit_id, callback_of, direction,
        channel AS own_channel, reason AS own_reason,
        toUnixTimestamp64Milli(started_at) AS start_ms,
        toUnixTimestamp64Milli(if({begin:String} = 'entered', entered_at, started_at)) AS begin_ms,
        -- how it ended: what a call-back replaces
        (handled, ifNull(toUnixTimestamp64Milli(ended_at), 0),
            end_type != 'resolved' OR end_detail = 'unresolved' OR reopens > 0,
            queue, agent, team, transfers > 0, level1_resolvable) AS own_ending,
        end_type = 'transferred' AND end_detail = 'callback' AS wants_call,
        short_abandoned OR contained OR isNotNull(forwarded_from) AS does_not_count
    FROM {contacts}
    WHERE isNotNull(customer_key) AND isNull(consult_of)
),
-- The call-back that says how a request ended: the one that began last.
calls AS (
    SELECT customer AS caller, assumeNotNull(callback_of) AS asked_by, toUInt8(1) AS was_called,
        argMax(own_ending, (start_ms, visit_id)) AS call_ending
    FROM visits
    WHERE isNotNull(callback_of)
    GROUP BY caller, asked_by
),
-- Contacts of their own, as their call-back left them.
candidates AS (
    SELECT customer, visit_id, own_channel, own_reason, start_ms, begin_ms,
        if(was_called, call_ending, own_ending) AS ending,
        (ending.1 OR {anchors:String} = 'closed') AND ending.2 > 0 AS is_anchor,
        if(ending.4 != '', ending.4, own_ending.4) AS last_queue,
        own_ending.7 OR ending.7 AS was_moved,
        own_ending.8 AND ending.8 AS is_level1
    FROM visits LEFT ANY JOIN calls ON customer = caller AND visit_id = asked_by AND wants_call
    WHERE isNull(callback_of) AND direction = 'inbound' AND NOT does_not_count
        AND ({evidence:String} = 'any' OR ending.1)
),
-- Which of a customer's contacts can repeat each other.
groupable AS (
    SELECT customer, visit_id, own_channel AS channel, own_reason AS reason,
        if({match_reason:UInt8}, own_reason, '') AS reason_group,
        if({cross_channel:UInt8}, '', own_channel) AS channel_group,
        start_ms, begin_ms, if(is_anchor, ending.2, 0) AS end_ms, is_anchor AND ending.3 AS failed,
        is_level1 AS level1, was_moved AS moved, last_queue AS queue, ending.5 AS agent, ending.6 AS team
    FROM candidates
),
-- With overlapping contacts: the next beginning in the order, and the last end of those before.
successive AS (
    SELECT *,
        min(begin_ms) OVER (PARTITION BY customer, reason_group, channel_group
            ORDER BY begin_ms, visit_id ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_ms,
        max(end_ms) OVER (PARTITION BY customer, reason_group, channel_group
            ORDER BY begin_ms, visit_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_ms
    FROM groupable
    WHERE {overlapping:UInt8} AND {min_gap_ms:Int64} = 0
),
-- The same where what begins sooner than the gap is no repeat: the least beginning and the greatest end beyond it.
distant AS (
    SELECT *,
        min(begin_ms) OVER (PARTITION BY customer, reason_group, channel_group
            ORDER BY begin_ms RANGE BETWEEN {min_gap_ms:Int64} FOLLOWING AND UNBOUNDED FOLLOWING) AS next_ms,
        max(end_ms) OVER (PARTITION BY customer, reason_group, channel_group
            ORDER BY begin_ms RANGE BETWEEN UNBOUNDED PRECEDING AND {min_gap_ms:Int64} PRECEDING) AS last_ms
    FROM groupable
    WHERE {overlapping:UInt8} AND {min_gap_ms:Int64} > 0
),
-- Without them only what is later than the end counts, and only what ended before: beginnings and ends in one line
-- of (time, is an end, place), a beginning before an end of the same instant. Those without an end have it after
-- all times.
lined AS (
    SELECT customer, reason_group, channel_group,
        arraySort(v -> (v.1, v.2), groupArray((begin_ms, visit_id, end_ms, channel, reason, start_ms, failed, level1,
            moved, queue, agent, team))) AS members,
        arrayEnumerate(members) AS places,
        arraySort(arrayConcat(
            arrayMap((t, i) -> (t, 0, i), members.1, places),
            arrayMap((t, i) -> (if(t > 0, t, 0x7FFFFFFFFFFFFFFF), 1, i), members.3, places))) AS line,
        arrayPopBack(arrayReverseFill((t, is_end) -> NOT is_end,
            arrayPushBack(line.1, 0), arrayPushBack(line.2, 0))) AS begins_after,
        arrayPopFront(arrayFill((t, is_end) -> is_end,
            arrayPushFront(line.1, 0), arrayPushFront(line.2, 1))) AS ends_before
    FROM groupable
    WHERE NOT {overlapping:UInt8}
    GROUP BY customer, reason_group, channel_group
),
apart AS (
    SELECT customer, member, next_ms, last_ms
    FROM (
        SELECT customer, members, line, begins_after, ends_before FROM lined WHERE {min_gap_ms:Int64} = 0
    )
    ARRAY JOIN members AS member,
        arrayMap(p -> p.2, arraySort(arrayFilter((p, is_end) -> is_end,
            arrayZip(line.3, begins_after), line.2))) AS next_ms,
        arrayFilter((t, is_end) -> NOT is_end, ends_before, line.2) AS last_ms
),
-- And with the gap: each member against all others.
far_apart AS (
    SELECT customer, member,
        arrayMin(arrayFilter(t -> t > member.3 AND t >= member.1 + {min_gap_ms:Int64}, members.1)) AS next_ms,
        arrayMax(arrayMap(o -> o.3, arrayFilter(
            o -> o.3 < member.1 AND o.1 <= member.1 - {min_gap_ms:Int64}, members))) AS last_ms
    FROM lined ARRAY JOIN members AS member
    WHERE {min_gap_ms:Int64} > 0
),
judged AS (
    SELECT customer, visit_id, channel, queue, agent, team, reason, start_ms, begin_ms, end_ms, failed, level1, moved,
        next_ms, last_ms
    FROM successive
    UNION ALL
    SELECT customer, visit_id, channel, queue, agent, team, reason, start_ms, begin_ms, end_ms, failed, level1, moved,
        next_ms, last_ms
    FROM distant
    UNION ALL
    SELECT customer, member.2, member.4, member.10, member.11, member.12, member.5, member.6, member.1, member.3,
        member.7, member.8, member.9, next_ms, last_ms
    FROM apart
    UNION ALL
    SELECT customer, member.2, member.4, member.10, member.11, member.12, member.5, member.6, member.1, member.3,
        member.7, member.8, member.9, next_ms, last_ms
    FROM far_apart
)
SELECT customer AS customer_key, visit_id AS contact_id, channel, queue, agent, team, reason,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(begin_ms, 'UTC') AS begins_at,
    fromUnixTimestamp64Milli(nullIf(end_ms, 0), 'UTC') AS ended_at,
    end_ms > 0 AS anchor, failed, level1 AS level1_resolvable, moved AS transferred,
    fromUnixTimestamp64Milli(if(end_ms > 0, nullIf(next_ms, 0), NULL), 'UTC') AS next_at,
    fromUnixTimestamp64Milli(nullIf(last_ms, 0), 'UTC') AS previous_end_at
FROM judged
