SELECT {columns}
FROM (
    SELECT source, maxIf(at, what = 'beat') AS beat_at, maxIf(at, what = 'event') AS event_at,
        greatest(beat_at, event_at) AS heard_at, max(is_live) AS live,
        countIf(what = 'gap') AS gap_n, maxIf(at, what = 'gap') AS gap_at
    FROM (
        SELECT source, occurred_at AS at, 'beat' AS what,
            told_at <= occurred_at + INTERVAL {fresh_s} SECOND AS is_live
        FROM heartbeats FINAL
        UNION ALL SELECT source, max(occurred_at), 'event', false FROM events GROUP BY source
        UNION ALL SELECT source, max(occurred_at), 'event', false FROM agent_events GROUP BY source
        UNION ALL SELECT origin, failed_at, 'gap', false FROM dead_letters FINAL WHERE reason = '{lines_lost}'
    )
    GROUP BY source
)
