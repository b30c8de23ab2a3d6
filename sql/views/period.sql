{constants}
SELECT {columns}
FROM (
    SELECT {by}, {totals}
    FROM (
        {stacked}
    )
    GROUP BY {by}
)
