-- One row per key. Compared by hashes of the values: whole rows of millions would not fit. Two rows that differ have
-- the same one once in 2^64. (Of 40 values it takes 0.4 us; SipHash took 4.)
SELECT {key},
    countIf(side = 'stream') != 1 OR countIf(side = 'oracle') != 1
        OR minIf(digest, side = 'stream') != minIf(digest, side = 'oracle') AS differs
FROM (
    -- in a tuple a NULL has a hash of its own
    SELECT {key}, side, cityHash64(tuple({columns})) AS digest
    FROM {stacked}
)
GROUP BY {key}
