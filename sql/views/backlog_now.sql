SELECT {columns}
FROM (
    SELECT {by}, {totals}
    FROM {source}
    GROUP BY {by}
)
