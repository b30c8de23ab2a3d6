SELECT {columns}
FROM (
    SELECT alert, episode, any(labels) AS own_labels, any(kpi) AS own_kpi, any(opened_at) AS began_at,
        minIf(at, kind = 'firing') AS fired, maxIf(at, kind IN ('resolved', 'expired')) AS over,
        anyIf(kind, kind IN ('resolved', 'expired')) AS how, anyIf(successes, kind = 'firing') AS good,
        anyIf(n, kind = 'firing') AS counted, anyIf(window_ms, kind = 'firing') AS length_ms,
        countIf(kind = 'firing') AS beginnings
    FROM alert_transitions FINAL
    GROUP BY alert, episode
    HAVING beginnings != 0
)
