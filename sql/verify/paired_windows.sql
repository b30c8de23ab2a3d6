-- One row per window that is not all zeros on both sides. Compared by one number each, the measures times odd numbers
-- of their own, summed: as linear as they are, so partial sums of a window may be added up. Two tallies that differ have
-- the same number once in 2^64 or so.
SELECT {key},
    sum(if(side = 'stream', number, 0)) AS stream_number, sum(if(side = 'oracle', number, 0)) AS oracle_number,
    stream_number != oracle_number AS differs
FROM (
    SELECT {key}, 'stream' AS side, {number} AS number FROM {stream} FINAL {where}
    UNION ALL
    SELECT {key}, 'oracle' AS side, {number} AS number FROM {oracle} {where}
)
GROUP BY {key}
HAVING stream_number != 0 OR oracle_number != 0
