-- Contacts that are open at {as_of_ms:Int64}, one row each (docs/facts.md 10).
WITH
begun AS (
    SELECT contact_id, channel, queue, agent, team, reason, dimensions,
        {as_of_ms:Int64} - toUnixTimestamp64Milli(started_at) AS age_ms
    FROM {contacts}
    WHERE toUnixTimestamp64Milli(started_at) <= {as_of_ms:Int64} AND isNull(consult_of)
        AND NOT ifNull(toUnixTimestamp64Milli(ended_at) <= {as_of_ms:Int64}, 0)
        AND NOT ifNull(toUnixTimestamp64Milli(closed_at) <= {as_of_ms:Int64}, 0)
        AND (has({async_channels:Array(String)}, channel)
            OR {as_of_ms:Int64} - toUnixTimestamp64Milli(last_event_at) < {stale_ms:Int64})
),
-- Those that had ended then, and were opened again.
over AS (
    SELECT contact_id AS over_id
    FROM (
        SELECT contact_id, leg, handled,
            end_type IN ('resolved', 'abandoned', 'rejected') OR (end_type = 'transferred'
                AND end_detail IN ('external', 'callback', 'voicemail')) AS leg_closes,
            ifNull(toUnixTimestamp64Milli(ended_at) <= {as_of_ms:Int64}, 0) AS has_ended
        FROM {legs}
        WHERE toUnixTimestamp64Milli(entered_at) <= {as_of_ms:Int64}
            AND contact_id IN (SELECT contact_id FROM begun)
    )
    GROUP BY contact_id
    HAVING argMax(leg_closes AND has_ended, leg) AND countIf(handled AND leg_closes AND NOT has_ended) = 0
)
SELECT channel, queue, agent, team, reason, dimensions, age_ms,
    toInt64(1) AS m_backlog, age_ms AS m_backlog_age_ms,
    toInt64(age_ms > 86400000) AS m_backlog_over_1d,
    toInt64(age_ms > 259200000) AS m_backlog_over_3d,
    toInt64(age_ms > 604800000) AS m_backlog_over_7d,
    toInt64(age_ms > 2592000000) AS m_backlog_over_30d
FROM begun
WHERE contact_id NOT IN (SELECT over_id FROM over)
