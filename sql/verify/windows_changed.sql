-- The first windows that differ between two relations, by a number of each, and how many there are in all (`windows`).
SELECT {key}, cityHash64({key}) AS key_hash, count() OVER () AS windows
FROM (
    SELECT {key}
    FROM (
        SELECT {key}, {number} AS moved FROM {later}
        UNION ALL
        SELECT {key}, -({number}) AS moved FROM {earlier}
    )
    GROUP BY {key}
    HAVING sum(moved) != 0
)
ORDER BY {key}
LIMIT {most}
