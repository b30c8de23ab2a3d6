-- Columns of table `surveys`, from the fold's rows (docs/facts.md 5).
WITH
-- The contact's end is needed to tell a late answer: that of its last leg, where it closes.
grouped AS (
    SELECT contact_id, any(has_life) AS known, any(survey_events) AS answers,
        argMax((closes, ended_ms), leg) AS last_leg
    FROM {fold}
    WHERE notEmpty(survey_events)
    GROUP BY contact_id
),
-- One row per answer in range.
valid AS (
    SELECT contact_id, known, if(last_leg.1, last_leg.2, NULL) AS contact_end_ms, answer
    FROM grouped ARRAY JOIN answers AS answer
    WHERE answer.scale_min < answer.scale_max AND answer.score BETWEEN answer.scale_min AND answer.scale_max
),
-- The last answer counts.
latest AS (
    SELECT contact_id, answer.detail AS survey_kind, answer.respondent AS answered_by,
        any(known) AS has_contact, any(contact_end_ms) AS end_ms,
        argMax(answer, (answer.at, answer.event_id)) AS final
    FROM valid
    GROUP BY contact_id, survey_kind, answered_by
)
SELECT contact_id, survey_kind AS kind, answered_by AS respondent, final.leg AS leg,
    fromUnixTimestamp64Milli(final.at, 'UTC') AS responded_at,
    final.score AS score, final.scale_min AS scale_min, final.scale_max AS scale_max,
    final.higher_is_better AS higher_is_better,
    ifNull(final.at - end_ms > {survey_late_ms:Int64}, 0) AS late,
    NOT has_contact AS orphan
FROM latest
