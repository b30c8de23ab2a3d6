SELECT {columns}
FROM (
    SELECT source, maxIf(at, is_beat) AS beat_at, maxIf(at, NOT is_beat) AS event_at,
        greatest(beat_at, event_at) AS heard_at
    FROM (
        SELECT source, occurred_at AS at, true AS is_beat FROM heartbeats FINAL
        UNION ALL SELECT source, max(occurred_at), false FROM events GROUP BY source
        UNION ALL SELECT source, max(occurred_at), false FROM agent_events GROUP BY source
    )
    GROUP BY source
)
