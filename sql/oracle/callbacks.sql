-- Callbacks: one row per request, with what became of it (docs/facts.md 7).
WITH
-- The request: the contact's last leg that ended as a callback.
requests AS (
    SELECT contact_id AS parent_id,
        argMax((entered_at, assumeNotNull(ended_at), channel, queue, agent, team, reason, dimensions), leg) AS request
    FROM {legs}
    WHERE end_type = 'transferred' AND end_detail = 'callback'
    GROUP BY contact_id
),
-- The contacts that call back, and when each contact was first known to be answered; 0 for never.
children AS (
    SELECT contact_id, assumeNotNull(callback_of) AS parent_id, toUnixTimestamp64Milli(started_at) AS begun_ms,
        handled AS was_reached, NOT handled AND isNotNull(ended_at) AS was_missed
    FROM {contacts} WHERE isNotNull(callback_of)
),
answers AS (
    SELECT contact_id, toUnixTimestamp64Milli(min(assumeNotNull(answered_at))) AS answer_ms
    FROM {legs}
    WHERE isNotNull(answered_at)
    GROUP BY contact_id
),
-- Every call for a request. One begun and answered before it, by more than clocks may be off, is for another.
calls AS (
    SELECT requests.parent_id AS asked_by, toUnixTimestamp64Milli(requests.request.2) AS asked_ms,
        children.begun_ms - asked_ms AS begun_after, answers.answer_ms - asked_ms AS answered_after,
        children.was_reached AS reached, children.was_missed AS missed
    FROM children
    INNER JOIN requests ON children.parent_id = requests.parent_id
    LEFT JOIN answers ON children.contact_id = answers.contact_id
    WHERE greatest(begun_after, answered_after) >= -{tolerance_ms:Int64}
),
-- A customer called several times waited until the first call, and until the first that was answered.
outcomes AS (
    SELECT asked_by, count() AS attempts, countIf(missed) AS unanswered, max(reached) AS fulfilled,
        greatest(min(begun_after), 0) AS attempt_after,
        countIf(answered_after >= -{tolerance_ms:Int64}) > 0 AS has_answer,
        greatest(minIf(answered_after, answered_after >= -{tolerance_ms:Int64}), 0) AS answer_after
    FROM calls
    GROUP BY asked_by
)
SELECT intDiv(toUnixTimestamp64Milli(requests.request.1), 60000) * 60000 AS minute_ms,
    requests.request.3 AS channel, requests.request.4 AS queue, requests.request.5 AS agent,
    requests.request.6 AS team, requests.request.7 AS reason, requests.request.8 AS dimensions,
    toInt64(1) AS m_callbacks_requested,
    toInt64(outcomes.attempts > 0) AS m_callbacks_attempted,
    toInt64(outcomes.fulfilled) AS m_callbacks_fulfilled,
    toInt64(outcomes.attempts) AS m_callback_attempts,
    toInt64(outcomes.unanswered) AS m_callback_attempts_unanswered,
    toInt64(outcomes.attempt_after) AS m_attempt_wait_ms,
    toInt64(outcomes.answer_after) AS m_answer_wait_ms,
    toInt64(outcomes.has_answer) AS m_answer_wait_n
FROM requests LEFT JOIN outcomes ON requests.parent_id = outcomes.asked_by
