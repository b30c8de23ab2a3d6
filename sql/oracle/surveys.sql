-- Columns of table `surveys`, from the fold's rows (docs/facts.md 5).
WITH
-- The contact's end is needed to tell a late answer: that of its last leg, where it closes. Its dimensions are
-- found as in contacts.sql.
grouped AS (
    SELECT contact_id, any(has_life) AS known, groupArrayArray(survey_events) AS answers,
        any(channel) AS contact_channel, any(reason) AS contact_reason,
        any(contact_dimensions) AS own_dimensions,
        argMinIf(leg_queue, leg, leg_queue != '') AS first_queue,
        argMaxIf((leg_queue, leg_agent, leg_team), leg, is_handled) AS owner,
        argMax((closes, ended_ms), leg) AS own_end,
        argMaxIf((closes, ended_ms), (assumeNotNull(ended_ms), leg), closes AND is_handled) AS host_end,
        if(own_end.1 AND host_end.1 AND ifNull(host_end.2 > own_end.2, 0), host_end, own_end) AS last_leg
    FROM {fold}
    WHERE has_surveys
    GROUP BY contact_id
),
-- One row per answer in range, or taken back.
valid AS (
    SELECT contact_id, known, if(last_leg.1, last_leg.2, NULL) AS contact_end_ms, answer,
        (contact_channel, if(owner.1 != '', owner.1, first_queue), owner.2, owner.3, contact_reason, own_dimensions) AS named
    FROM grouped ARRAY JOIN answers AS answer
    WHERE answer.ignored
        OR (answer.scale_min < answer.scale_max AND answer.score BETWEEN answer.scale_min AND answer.scale_max)
),
-- The last answer counts.
latest AS (
    SELECT contact_id, answer.detail AS survey_kind, answer.respondent AS answered_by,
        any(known) AS has_contact, any(contact_end_ms) AS end_ms, any(named) AS of_contact,
        argMax(answer, (answer.at, answer.event_id)) AS final
    FROM valid
    GROUP BY contact_id, survey_kind, answered_by
)
SELECT contact_id, survey_kind AS kind, answered_by AS respondent, final.leg AS leg,
    if(has_contact, of_contact.1, final.channel) AS channel,
    of_contact.2 AS queue, of_contact.3 AS agent, of_contact.4 AS team, of_contact.5 AS reason,
    of_contact.6 AS dimensions,
    fromUnixTimestamp64Milli(final.at, 'UTC') AS responded_at,
    fromUnixTimestamp64Milli(ifNull(end_ms, final.at), 'UTC') AS booked_at,
    final.score AS score, final.scale_min AS scale_min, final.scale_max AS scale_max,
    final.higher_is_better AS higher_is_better,
    ifNull(final.at - end_ms > {survey_late_ms:Int64}, 0) AS late,
    NOT has_contact AS orphan
FROM latest
WHERE NOT final.ignored
