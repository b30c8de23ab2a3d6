-- What each answer adds to the KPIs of surveys (docs/facts.md 7): one row per answer.
-- Measures are called m_* here: an alias that is also a column of the source would be taken for it.
WITH
-- Which question it is, by whom and on which scale, and the score as if high were good.
weighed AS (
    SELECT
        channel, queue, agent, team, reason, dimensions,
        intDiv(toUnixTimestamp64Milli({at}), 60000) * 60000 AS booked_minute_ms,
        toInt64(score) AS given,
        toInt64(scale_min) AS lowest,
        toInt64(scale_max) AS highest,
        -- how many units one point is: 6.5 on 0 to 10 is kept as 65 on 0 to 100
        toInt64(arrayFirst(u -> (lowest = u AND modulo(highest, u) = 0)
            OR (lowest = 0 AND highest IN (10 * u, 5 * u)) OR u = 1, [1000, 100, 10, 1])) AS units,
        intDiv(lowest, units) AS low,
        intDiv(highest, units) AS high,
        if(higher_is_better, given, lowest + highest - given) AS aligned,
        toInt64(floor(aligned / units)) AS points,
        intDiv((aligned - points * units) * 1000, units) AS milli,
        high - low + 1 AS answers,
        points > high - multiIf(answers <= 3, 1, answers < 10, 2, intDiv(answers * 3, 10)) AS positive,
        late != 0 AS too_late,
        if(NOT too_late, kind, '') AS asked,
        respondent = 'customer' AS by_customer,
        asked = 'csat' AND by_customer AS is_csat,
        asked = 'ces' AND by_customer AS is_ces,
        asked = 'nps' AND by_customer AND low = 0 AND high = 10 AS is_nps,
        asked = 'fcr' AND by_customer AS is_fcr,
        asked = 'aes' AND NOT by_customer AND low = 1 AND high = 5 AS is_aes,
        is_csat AND low = 1 AND high = 5 AS is_csat_1_5,
        is_csat AND low = 1 AND high = 7 AS is_csat_1_7,
        is_csat AND low = 1 AND high = 10 AS is_csat_1_10,
        is_ces AND low = 1 AND high = 7 AS is_ces_1_7,
        is_ces AND low = 1 AND high = 5 AS is_ces_1_5,
        points >= high - 1 AS top2
    FROM {surveys}
)
SELECT
    booked_minute_ms AS minute_ms,
    channel, queue, agent, team, reason, dimensions,
    toInt64(is_csat_1_5) AS m_csat_n,
    if(is_csat_1_5, points, 0) AS m_csat_sum,
    if(is_csat_1_5, milli, 0) AS m_csat_milli,
    toInt64(is_csat_1_5 AND positive) AS m_csat_positive,
    toInt64(is_csat_1_7) AS m_csat_1_7_n,
    if(is_csat_1_7, points, 0) AS m_csat_1_7_sum,
    if(is_csat_1_7, milli, 0) AS m_csat_1_7_milli,
    toInt64(is_csat_1_7 AND positive) AS m_csat_1_7_positive,
    toInt64(is_csat_1_10) AS m_csat_1_10_n,
    if(is_csat_1_10, points, 0) AS m_csat_1_10_sum,
    if(is_csat_1_10, milli, 0) AS m_csat_1_10_milli,
    toInt64(is_csat_1_10 AND positive) AS m_csat_1_10_positive,
    toInt64(is_csat) AS m_csat_any_n,
    -- greatest: a row that is no answer (deleted) may be computed before it is left out.
    if(is_csat, intDiv(1260000 * (aligned - lowest), greatest(highest - lowest, 1)), 0) AS m_csat_any_share,
    toInt64(is_csat AND top2) AS m_csat_any_top2,
    toInt64(is_csat AND positive) AS m_csat_any_positive,
    toInt64(is_nps) AS m_nps_n,
    toInt64(is_nps AND points >= 9) AS m_nps_promoters,
    toInt64(is_nps AND points <= 6) AS m_nps_detractors,
    toInt64(is_ces_1_7) AS m_ces_n,
    if(is_ces_1_7, points, 0) AS m_ces_sum,
    if(is_ces_1_7, milli, 0) AS m_ces_milli,
    toInt64(is_ces_1_7 AND points >= high - 2) AS m_ces_positive,
    toInt64(is_ces_1_7 AND top2) AS m_ces_easy,
    toInt64(is_ces_1_7 AND points <= low + 2) AS m_ces_hard,
    toInt64(is_ces_1_5) AS m_ces_1_5_n,
    if(is_ces_1_5, points, 0) AS m_ces_1_5_sum,
    if(is_ces_1_5, milli, 0) AS m_ces_1_5_milli,
    toInt64(is_ces_1_5 AND points >= high - 2) AS m_ces_1_5_positive,
    toInt64(is_ces_1_5 AND top2) AS m_ces_1_5_easy,
    toInt64(is_ces_1_5 AND points <= low + 2) AS m_ces_1_5_hard,
    toInt64(is_aes) AS m_aes_n,
    if(is_aes, toInt64(floor(given / units)), 0) AS m_aes_sum,
    if(is_aes, intDiv(positiveModulo(given, units) * 1000, units), 0) AS m_aes_milli,
    toInt64(is_fcr) AS m_survey_fcr_n,
    toInt64(is_fcr AND aligned = highest) AS m_survey_fcr_yes,
    toInt64(too_late) AS m_surveys_late
FROM weighed
