SELECT {columns}
FROM (
    SELECT source, maxIf(at, is_beat) AS beat_at, maxIf(at, NOT is_beat) AS event_at,
        greatest(beat_at, event_at) AS heard_at, max(is_live) AS live
    FROM (
        SELECT source, occurred_at AS at, true AS is_beat,
            told_at <= occurred_at + INTERVAL {fresh_s} SECOND AS is_live
        FROM heartbeats FINAL
        UNION ALL SELECT source, max(occurred_at), false, false FROM events GROUP BY source
        UNION ALL SELECT source, max(occurred_at), false, false FROM agent_events GROUP BY source
    )
    GROUP BY source
)
