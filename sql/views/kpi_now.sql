SELECT {columns}
FROM (
    SELECT channel, queue, {totals}, max(age_ms) AS t_oldest_ms
    FROM {source}
    GROUP BY channel, queue
    HAVING {some}
)
