-- Events to one row per leg, each with its contact's frame (docs/facts.md 1 to 3). A contact without legs has one
-- row with leg 0. All times are UTC milliseconds in *_ms; the facts' own column names are given by legs.sql and
-- contacts.sql. An index of 0 means "no such event": then arr[0] is NULL, 0 or ''.
-- Within AND and OR there is `x IN (7)` rather than `x = 7`, and `x > 0` has a name from a step before. Of a comparison
-- with a constant ClickHouse takes a hash there, of x and of all that x is made from, down to the table: in the last
-- steps each cost 25 to 50 ms of CPU whenever this is analysed, together three quarters of it.
WITH
-- Every variant of every event of a contact, in one pass over the table. `detail` is what end_detail or the
-- survey's kind will be.
gathered AS (
    SELECT contact_id, groupArray(CAST((
        event_id, greatest(revision, revision_wide), canonical, toUnixTimestamp64Milli(occurred_at),
        indexOf(['contact_started', 'contact_reopened', 'contact_queued', 'contact_answered', 'contact_held',
            'contact_resumed', 'contact_transferred', 'contact_abandoned', 'contact_resolved', 'contact_wrapped',
            'contact_surveyed', 'contact_offered', 'contact_replied', 'contact_rejected', 'contact_closed',
            'contact_withdrawn', 'contact_linked'], type) - 1,
        leg, channel, direction, entry, customer_key, reason, callback_of, parent_contact_id, queue, agent, team,
        ifNull(hold_no, 0), concat(kind, place, outcome, cause), by, level1_resolvable = 0, talk_ms, hold_ms, hold_n,
        hold_max_ms, acw_ms, ifNull(score, 0), ifNull(scale_min, 0), ifNull(scale_max, 0),
        ifNull(higher_is_better, 0), respondent, ifNull(ignored, 0), wait_ms, ifNull(undone, 0), to_contact_id, dimensions, ring_ms
    ), 'Tuple(event_id String, revision UInt64, canonical String, at Int64, rank UInt8, leg UInt32,
        channel String, direction String, entry String, customer_key Nullable(String), reason Nullable(String),
        callback_of Nullable(String), parent_contact_id Nullable(String), queue Nullable(String),
        agent Nullable(String), team Nullable(String), hold_no UInt32, detail String, by String,
        beyond_level1 Nullable(UInt8), talk_ms Nullable(Int64), hold_ms Nullable(Int64), hold_n Nullable(Int64),
        hold_max_ms Nullable(Int64), acw_ms Nullable(Int64), score Int32, scale_min Int32, scale_max Int32,
        higher_is_better UInt8, respondent String, ignored UInt8, wait_ms Nullable(Int64), undone UInt8,
        to_contact_id Nullable(String), dimensions Map(String, String), ring_ms Nullable(Int64))')) AS variants
    FROM {events}
    GROUP BY contact_id
),
-- Of several variants of an event the greatest (revision, canonical) counts: the last of its run. Of too many
-- events those with the smallest ids count.
unique_events AS (
    SELECT contact_id,
        arraySort(v -> (v.event_id, v.revision, v.canonical), variants) AS sorted,
        arraySlice(arrayFilter((v, next_id) -> v.event_id != next_id, sorted,
            arrayShiftLeft(sorted.event_id, 1)), 1, {contact_max_events:UInt32}) AS kept
    FROM gathered
),
-- A contact that is withdrawn by the latest statement has no events.
counted AS (
    SELECT contact_id,
        arraySort(e -> (e.at, e.event_id), arrayFilter(e -> e.rank = 15, kept)) AS withdrawals,
        notEmpty(withdrawals) AND withdrawals.undone[-1] = 0 AS is_withdrawn,
        arraySlice(kept, 1, if(is_withdrawn, 0, length(kept))) AS valid
    FROM unique_events
),
-- Lifecycle events in the total order, an agent's replies among them; surveys apart.
ordered AS (
    SELECT contact_id,
        arraySort(e -> (e.at, e.rank, e.event_id), arrayFilter(e -> e.rank < 10 OR e.rank = 13 OR (e.rank = 12 AND e.by = 'agent'), valid)) AS life,
        arrayFilter(e -> e.rank = 10, valid) AS survey_events,
        arrayMap(e -> CAST((e.event_id, e.at, e.leg, e.channel, e.agent, e.team, e.detail, e.ring_ms),
            'Tuple(event_id String, at Int64, leg UInt32, channel String, agent Nullable(String),
            team Nullable(String), detail String, ring_ms Nullable(Int64))'),
            arrayFilter(e -> e.rank = 11, valid)) AS offer_events,
        arraySort(e -> (e.at, e.event_id), arrayFilter(e -> e.rank = 16, valid)) AS links,
        arrayMap(e -> e.at, arrayFilter(e -> e.rank = 12 AND e.by = 'customer', valid)) AS written_ms,
        arrayMax(arrayMap(e -> e.at, arrayFilter(e -> e.rank = 14, valid))) AS last_closed_ms
    FROM counted
),
-- The contact's frame, and its events by leg in the total order.
framed AS (
    SELECT contact_id, survey_events,
        notEmpty(life) AS has_life,
        indexOf(life.rank, 0) AS start_i,
        if(start_i > 0, start_i, 1) AS frame_i,
        life.at[frame_i] AS started_ms,
        life.channel[frame_i] AS channel,
        if(start_i > 0, life.direction[start_i], 'inbound') AS direction,
        if(start_i > 0, life.entry[start_i], 'direct') AS entry,
        life.callback_of[start_i] AS callback_of,
        coalesce(life.parent_contact_id[start_i],
            tupleElement(arrayLast(l -> l.detail = 'parent', links), 'to_contact_id')) AS parent_contact_id,
        tupleElement(arrayLast(l -> l.detail = 'consult', links), 'to_contact_id') AS consult_of,
        tupleElement(arrayLast(l -> l.detail = 'forwarded', links), 'to_contact_id') AS forwarded_from,
        -- last by (time, event_id): here the type's rank has no say
        arraySort(e -> (e.at, e.event_id), arrayFilter(e -> e.rank IN (0, 3, 8), life)) AS tellers,
        ifNull(arrayLast(r -> isNotNull(r), tellers.reason), '') AS reason,
        arrayLast(k -> isNotNull(k), tellers.customer_key) AS customer_key,
        -- of each name the latest value, which stands first; of too many names those that sort first
        arrayReverseSort(e -> (e.at, e.event_id),
            arrayFilter(e -> notEmpty(e.dimensions) AND e.rank IN (0, 2, 3, 8), life)).dimensions AS told,
        arrayFlatten(arrayMap(d -> mapKeys(d), told)) AS told_names,
        CAST(arraySlice(arraySort(p -> p.1, arrayFilter((p, nth) -> nth = 1,
            arrayZip(told_names, arrayFlatten(arrayMap(d -> mapValues(d), told))), arrayEnumerateUniq(told_names))),
            1, 8), 'Map(String, String)') AS contact_dimensions,
        arrayMax(life.at) AS last_event_ms,
        arrayMax(arrayMap(e -> if(e.rank IN (0, 9, 12), 0, e.at), life)) AS last_active_ms,
        NOT arrayExists(e -> e.rank = 8 AND e.beyond_level1 = 1, life) AS level1_resolvable,
        arrayConcat(if(countEqual(life.rank, 0) > 1, ['DUP_STARTED'], []), if(start_i = 0, ['START_MISSING'], []),
            if(arrayExists(e -> NOT e.ignored AND (e.scale_min >= e.scale_max OR e.score < e.scale_min
                OR e.score > e.scale_max), survey_events), ['SCORE_RANGE'], [])) AS contact_flags,
        arraySort(e -> (e.leg, e.at, e.rank, e.event_id), arrayFilter(e -> e.rank > 0, life)) AS body,
        arrayShiftRight(body.leg, 1) AS leg_before,
        -- A reopening that follows an end on its leg begins a leg of its own: of ends (2) and reopenings (1) on the leg
        -- the last before it is an end. Legs behind it have numbers that much greater.
        arrayFill(k -> k != 0, arrayMap((e, previous) -> multiIf(e.rank = 1, 1, e.rank IN (6, 7, 8, 13), 2,
            e.leg != previous, 3, 0), body, leg_before)) AS marks,
        arrayMap((e, previous, mark) -> e.rank = 1 AND e.leg = previous AND mark = 2, body, leg_before,
            arrayShiftRight(marks, 1)) AS opens,
        arrayFilter((e, opened) -> opened, body, opens) AS openings,
        arrayMap((e, previous, opened) -> e.leg != previous OR opened, body, leg_before, opens) AS begins,
        arraySplit((e, new) -> new, body, begins) AS by_leg,
        arrayResize(by_leg, greatest(length(by_leg), 1)) AS leg_events,
        arrayResize(arrayFilter((number, new) -> new, arrayMap((e, more) -> toUInt32(e.leg + more), body,
            arrayCumSum(opens)), begins), length(leg_events)) AS leg_numbers,
        -- with the first leg only: rows of very many legs are not to hold very many answers each
        notEmpty(survey_events) AS has_surveys,
        arrayResize([survey_events], length(leg_events)) AS leg_answers,
        arrayResize([written_ms], length(leg_events)) AS leg_messages,
        notEmpty(offer_events) AS has_offers,
        arrayMap(o -> CAST((o.event_id, o.at, o.leg + arrayCount(p -> (p.leg, p.at, p.rank, p.event_id)
            <= (o.leg, o.at, 11, o.event_id), openings), o.channel, o.agent, o.team, o.detail, o.ring_ms),
            'Tuple(event_id String, at Int64, leg UInt32, channel String, agent Nullable(String),
            team Nullable(String), detail String, ring_ms Nullable(Int64))'), offer_events) AS placed_offers,
        arrayResize([placed_offers], length(leg_events)) AS leg_offers,
        -- for good: 0 where there is none, or where the contact was opened again later
        if(arrayExists(e -> e.rank = 1 AND e.at > last_closed_ms, life), 0, last_closed_ms) AS closed_ms,
        arrayMap(es -> if(arrayExists(k -> k IN (6, 7, 8, 13), es.rank),
            toNullable(es.at[arrayFirstIndex(k -> k IN (6, 7, 8, 13), es.rank)]), NULL), leg_events) AS leg_ends,
        arrayShiftRight(leg_ends, 1) AS leg_ends_before
    FROM ordered
),
-- One row per leg: where in its events the earliest of each type stands.
located AS (
    SELECT contact_id, has_life, has_surveys, has_offers, answers, offers, started_ms, channel, direction, entry, callback_of,
        parent_contact_id, consult_of, forwarded_from, reason, contact_dimensions, customer_key, last_event_ms,
        last_active_ms, level1_resolvable, contact_flags, closed_ms,
        messages, es, leg, before_ms,
        arrayReverseSort(e -> (e.at, e.event_id),
            arrayFilter(e -> notEmpty(e.dimensions) AND e.rank IN (2, 3, 8), es)).dimensions AS leg_told,
        arrayConcat(arrayFlatten(arrayMap(d -> mapKeys(d), leg_told)), mapKeys(contact_dimensions)) AS leg_names,
        CAST(arraySlice(arraySort(p -> p.1, arrayFilter((p, nth) -> nth = 1, arrayZip(leg_names,
            arrayConcat(arrayFlatten(arrayMap(d -> mapValues(d), leg_told)), mapValues(contact_dimensions))),
            arrayEnumerateUniq(leg_names))), 1, 8), 'Map(String, String)') AS leg_dimensions,
        indexOf(es.rank, 1) AS r_i,
        indexOf(es.rank, 2) AS q_i,
        indexOf(es.rank, 12) AS reply_i,
        if(has(es.rank, 3), indexOf(es.rank, 3), reply_i) AS a_i,
        -- a wrap-up by another than who answered does not count
        arrayMap(e -> e.agent, arrayFilter(e -> e.rank = 3, es)) AS answered_by,
        arrayMap(e -> e.rank = 9 AND (empty(answered_by) OR isNull(e.agent)
            OR arrayExists(a -> ifNull(a = e.agent, 1), answered_by)), es) AS wraps,
        indexOf(wraps, 1) AS w_i,
        arrayFirstIndex(k -> k IN (6, 7, 8, 13), es.rank) AS x_i,
        if(r_i > 0, toNullable(es.at[r_i]), NULL) AS r_ms,
        if(q_i > 0, toNullable(es.at[q_i]), NULL) AS q_ms,
        if(a_i > 0, toNullable(es.at[a_i]), NULL) AS a_ms,
        if(w_i > 0, toNullable(es.at[w_i]), NULL) AS w_ms,
        if(reply_i > 0, toNullable(es.at[reply_i]), NULL) AS wrote_ms,
        if(x_i > 0, toNullable(es.at[x_i]), NULL) AS x_ms,
        if(x_i > 0, es.rank[x_i], 0) AS x_rank,
        es.detail[x_i] AS x_detail,
        q_i > 0 AS is_queued,
        a_i > 0 AS is_taken,
        w_i > 0 AS is_wrapped,
        x_i = 0 AS is_open,
        x_rank IN (6) AND x_detail IN ('cold', 'warm', 'external') AS x_by_agent,
        (is_wrapped AND NOT (x_rank IN (7) AND x_detail NOT IN ('hold')))
            OR (NOT (x_rank IN (8) AND es.by[x_i] IN ('bot'))
                AND (ifNull(es.talk_ms[x_i], 0) > 0 OR ifNull(es.hold_ms[x_i], 0) > 0)) AS agent_shown
    FROM framed ARRAY JOIN leg_events AS es, leg_numbers AS leg, leg_ends_before AS before_ms, leg_answers AS answers,
        leg_messages AS messages, leg_offers AS offers
),
-- Was the leg offered, and did an agent take it?
handled_legs AS (
    SELECT *,
        coalesce(q_ms, r_ms, before_ms, started_ms) AS entered_ms,
        is_queued AND direction IN ('inbound') AS is_offered,
        multiIf(
            is_taken AND (is_open OR a_ms <= x_ms), 'answered',
            is_taken AND a_ms - x_ms <= {tolerance_ms:Int64}, 'skewed',
            is_taken, 'too late',
            arrayExists(k -> k IN (4, 5), es.rank) OR agent_shown OR x_by_agent OR (x_rank IN (8) AND es.by[x_i] IN ('agent')),
            'inferred',
            '') AS verdict,
        verdict IN ('answered', 'skewed', 'inferred') AS is_handled,
        multiIf(verdict = 'answered', a_ms, verdict = 'skewed', x_ms, NULL) AS answered_ms,
        ifNull(coalesce(es.queue[q_i], es.queue[a_i], if(x_rank = 13, es.queue[x_i], NULL)), '') AS leg_queue
    FROM located
),
-- Holds, by hold_no from held to resumed or the leg's end, in order of (start, hold_no), clipped to the talk. Sorted
-- by number a hold's own resume is its neighbour, so nothing is looked up: a leg may have very many holds.
numbered AS (
    SELECT *,
        arraySort(e -> (e.hold_no, e.rank, e.at, e.event_id), arrayFilter(e -> e.rank IN (4, 5), es)) AS by_number,
        -- the first held and the first resumed of each number
        arrayFilter((e, no_before, rank_before) -> e.hold_no != no_before OR e.rank != rank_before, by_number,
            arrayShiftRight(by_number.hold_no, 1), arrayShiftRight(by_number.rank, 1)) AS firsts,
        arrayZip(firsts.rank, firsts.at, firsts.hold_no,
            arrayShiftLeft(firsts.rank, 1), arrayShiftLeft(firsts.at, 1), arrayShiftLeft(firsts.hold_no, 1),
            arrayShiftRight(firsts.rank, 1), arrayShiftRight(firsts.hold_no, 1)) AS neighbours
    FROM handled_legs
),
clipped AS (
    SELECT *,
        arrayFilter(h -> isNotNull(h.3), arrayMap(n -> (
            n.2, n.3, if(n.4 = 5 AND n.6 = n.3, toNullable(n.5), x_ms)
        ), arrayFilter(n -> n.1 = 4, neighbours))) AS raw_holds,
        arrayMap(h -> (
            greatest(h.1, ifNull(answered_ms, h.1)),
            least(assumeNotNull(h.3), ifNull(x_ms, assumeNotNull(h.3))),
            h.1 < answered_ms OR h.3 > x_ms
        ), arraySort(h -> (h.1, h.2), raw_holds)) AS hold_spans
    FROM numbered
),
-- Greedy: a hold that begins before the last counted one ended is ignored. Carried along: end of the last
-- counted hold, sum, number, longest, and whether any was clipped or ignored.
held AS (
    SELECT *,
        arrayFold((acc, h) -> if(h.2 >= h.1 AND h.1 >= acc.1,
            (h.2, acc.2 + h.2 - h.1, acc.3 + 1, greatest(acc.4, h.2 - h.1),
                toUInt8(acc.5 OR ifNull(h.3, 0))),
            (acc.1, acc.2, acc.3, acc.4, toUInt8(1))),
            hold_spans, (toInt64(0), toInt64(0), toInt64(0), toInt64(0), toUInt8(0))) AS greedy,
        arrayExists(n -> n.1 = 5 AND NOT (n.7 = 4 AND n.8 = n.3), neighbours) AS resumed_only,
        isNotNull(es.hold_ms[x_i]) AS is_measured,
        multiIf(NOT is_handled, 0, is_measured, ifNull(es.hold_ms[x_i], 0), greedy.2) AS leg_hold_ms,
        multiIf(NOT is_handled, 0, is_measured, ifNull(es.hold_n[x_i], leg_hold_ms > 0), greedy.3) AS leg_hold_n,
        multiIf(NOT is_handled, 0, is_measured, ifNull(es.hold_max_ms[x_i], leg_hold_ms), greedy.4)
            AS leg_hold_max_ms,
        is_handled AND NOT is_measured AND (greedy.5 OR resumed_only) AS hold_order
    FROM clipped
),
-- Durations.
timed AS (
    SELECT *,
        -- x_i and a_i of 0 give NULL
        if(is_offered, coalesce(if(is_handled, es.wait_ms[a_i], NULL), es.wait_ms[x_i]), NULL) AS own_wait_ms,
        if(is_offered AND isNull(own_wait_ms), if(is_handled, answered_ms, x_ms) - q_ms, NULL) AS wait_raw,
        multiIf(isNotNull(own_wait_ms), own_wait_ms, wait_raw >= 0, wait_raw, wait_raw >= -{tolerance_ms:Int64}, 0, NULL) AS leg_queue_ms,
        es.talk_ms[x_i] AS own_talk_ms,
        es.acw_ms[x_i] AS own_acw_ms,
        -- not greatest(): it skips NULL, and would make an unknown talk one of no length
        x_ms - answered_ms - leg_hold_ms AS talk_raw,
        if(is_handled, coalesce(own_talk_ms, if(talk_raw < 0, 0, talk_raw)), NULL) AS leg_talk_ms,
        if(is_handled, coalesce(own_acw_ms, if(w_ms >= x_ms, w_ms - x_ms, 0)), 0) AS leg_acw_ms,
        is_handled AND (w_i > 0 OR isNotNull(own_acw_ms)) AS acw_is_known,
        if(is_handled, if(w_ms >= x_ms, w_ms, x_ms), NULL) AS handled_ms
    FROM held
),
-- What of the wait lay within the queue's business hours.
in_business AS (
    SELECT *,
        {calendar_number} AS calendar,
        ifNull(q_ms, 0) AS from_ms,
        from_ms + ifNull(leg_queue_ms, 0) AS until_ms,
        if(calendar IN (0) OR ifNull(leg_queue_ms, 0) IN (0), leg_queue_ms, {business_ms}) AS leg_queue_business_ms
    FROM timed
),
-- What became of the leg.
judged AS (
    SELECT *,
        is_offered AND NOT is_handled AS is_lost,
        direction IN ('inbound') AND NOT is_offered AND NOT is_handled AS is_outside,
        x_rank IN (13) OR (x_rank IN (7) AND x_detail IN ('ivr') AND es.by[x_i] IN ('system')) AS is_turned_away,
        ifNull(wait_raw < 0, 0) AS is_wait_negative
    FROM in_business
)
SELECT contact_id, leg, has_life, has_surveys, has_offers, answers AS survey_events, offers, channel, direction, entry, reason, contact_dimensions,
    leg_dimensions, customer_key, callback_of,
    parent_contact_id, consult_of, forwarded_from, started_ms, last_event_ms, last_active_ms, level1_resolvable, contact_flags,
    leg_queue,
    if(is_handled, ifNull(coalesce(es.agent[a_i], es.agent[w_i]), ''), '') AS leg_agent,
    if(is_handled, ifNull(es.team[a_i], ''), '') AS leg_team,
    entered_ms, answered_ms, x_ms AS ended_ms, handled_ms,
    transform(x_rank, [6, 7, 8, 13], ['transferred', 'abandoned', 'resolved', 'rejected'], '') AS leg_end_type,
    if(x_i > 0, x_detail, '') AS leg_end_detail,
    es.by[x_i] AS leg_end_by,
    x_rank IN (7, 8, 13) OR (x_rank IN (6) AND x_detail IN ('external', 'callback', 'voicemail')) AS closes,
    r_i > 0 AS is_reopened,
    is_offered, is_handled,
    is_offered AND is_handled AS is_answered,
    is_lost AND x_rank IN (7) AS is_abandoned,
    is_outside, is_turned_away,
    is_outside AND x_rank IN (7) AND NOT is_turned_away AS is_ivr_abandoned,
    is_outside AND is_turned_away AS is_rejected,
    is_lost AND x_rank IN (6, 8, 13) AS is_flow_out,
    is_lost AND x_rank IN (0) AS is_waiting,
    is_handled AND x_by_agent AS is_transferred_out,
    is_handled AND x_rank IN (7) AND x_detail IN ('hold') AS is_hold_abandon,
    leg_queue_ms, leg_queue_business_ms, leg_talk_ms, leg_hold_ms, leg_hold_n, leg_hold_max_ms, leg_acw_ms, acw_is_known,
    leg_talk_ms + leg_hold_ms + leg_acw_ms AS leg_handle_ms,
    r_ms AS reopened_ms, closed_ms, messages,
    arrayMap(e -> e.at, arrayFilter(e -> e.rank = 12, es)) AS wrote,
    -- an answer is a reply of its own unless one is told of at that time
    if(isNull(answered_ms) OR arrayExists(t -> abs(t - assumeNotNull(answered_ms)) <= {tolerance_ms:Int64}, wrote),
        wrote, arrayPushBack(wrote, assumeNotNull(answered_ms))) AS agent_times,
    arrayMap(e -> e.at, arrayFilter(e -> e.rank = 1 AND e.by != 'agent', es)) AS openings,
    multiIf(isNull(wrote_ms), answered_ms, isNull(answered_ms), wrote_ms, wrote_ms < answered_ms, wrote_ms,
        answered_ms) AS reply_ms,
    arraySort(arrayFilter(f -> f != '', [
        if(countEqual(es.rank, 2) > 1, 'DUP_QUEUED', ''),
        if(countEqual(es.rank, 3) > 1, 'DUP_ANSWERED', ''),
        if(countEqual(wraps, 1) > 1, 'DUP_WRAPPED', ''),
        if(countEqual(es.rank, 9) > countEqual(wraps, 1), 'WRAP_IGNORED', ''),
        if(countEqual(es.rank, 1) > 1, 'DUP_REOPENED', ''),
        if(arrayCount(k -> k IN (6, 7, 8, 13), es.rank) > 1, 'MULTI_TERMINAL', ''),
        if(verdict IN ('skewed') OR (is_wait_negative AND isNotNull(leg_queue_ms)), 'SKEW', ''),
        if(verdict = 'too late', 'ANSWER_AFTER_END', ''),
        if(verdict = 'inferred', 'ANSWER_MISSING', ''),
        if(is_wait_negative AND isNull(leg_queue_ms), 'NEG', ''),
        if(hold_order, 'HOLD_ORDER', ''),
        if(is_handled AND ifNull(w_ms < x_ms, 0), 'WRAP_BEFORE_END', '')])) AS leg_flags
FROM judged
