-- Changes of a rule of `type: absence`, decided again from minutes: who came in earlier weeks in the time in which nobody
-- comes now.
WITH
{counts},
lengths AS (
    SELECT steps.labels AS labels, steps.at AS at, 1 AS number, steps.at - greatest(minute_ms + 60000, steps.at - {reach_ms:Int64}) AS length
    FROM steps ASOF LEFT JOIN minutes ON steps.labels = minutes.labels AND steps.at > minutes.minute_ms
),
{weekly},
looks AS (
    SELECT labels, at,
        known_weeks >= {at_least:Int64} AND total > {expected:Int64} * known_weeks AS breaches, breaches AS is_off, 1 AS may_begin,
        is_holiday OR (length >= {reach_ms:Int64} AND total = 0) AS is_quiet,
        if(breaches, length, 0) AS window_ms, 0 AS successes, if(known_weeks = 0, 0, intDiv(total, known_weeks)) AS counted
    FROM compared
)
{machine}
