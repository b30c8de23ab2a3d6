-- Callbacks that were answered: one row per request, with how long the customer waited for the call.
WITH
-- The request: the contact's last leg that ended as a callback.
requests AS (
    SELECT contact_id AS parent_id,
        argMax((entered_at, assumeNotNull(ended_at), channel, queue, agent, team, reason, dimensions), leg) AS request
    FROM {legs}
    WHERE end_type = 'transferred' AND end_detail = 'callback'
    GROUP BY contact_id
),
-- The contacts that call back, and when each contact was first known to be answered.
children AS (
    SELECT contact_id, assumeNotNull(callback_of) AS parent_id FROM {contacts} WHERE isNotNull(callback_of)
),
answers AS (
    SELECT contact_id, min(assumeNotNull(answered_at)) AS first_answer
    FROM {legs}
    WHERE isNotNull(answered_at)
    GROUP BY contact_id
),
-- Every answered call for a request. One answered before the request, by more than clocks may be off, does not
-- fulfil it.
calls AS (
    SELECT requests.parent_id AS asked_by, requests.request AS asked,
        toUnixTimestamp64Milli(answers.first_answer) - toUnixTimestamp64Milli(asked.2) AS raw_ms
    FROM children
    INNER JOIN answers ON children.contact_id = answers.contact_id
    INNER JOIN requests ON children.parent_id = requests.parent_id
    WHERE raw_ms >= -{tolerance_ms:Int64}
),
-- A customer called several times was served by the first call that was answered.
waits AS (
    SELECT asked_by, any(asked) AS request_leg, greatest(min(raw_ms), 0) AS shortest FROM calls GROUP BY asked_by
)
SELECT intDiv(toUnixTimestamp64Milli(request_leg.1), 60000) * 60000 AS minute_ms,
    request_leg.3 AS channel, request_leg.4 AS queue, request_leg.5 AS agent, request_leg.6 AS team,
    request_leg.7 AS reason, request_leg.8 AS dimensions, shortest AS wait
FROM waits
