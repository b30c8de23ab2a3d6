-- One row per key. Compared by 128-bit hashes of the values: whole rows of millions would not fit.
SELECT {key},
    countIf(side = 'stream') != 1 OR countIf(side = 'oracle') != 1
        OR minIf(digest, side = 'stream') != minIf(digest, side = 'oracle') AS differs
FROM (
    -- in a tuple a NULL has a hash of its own
    SELECT {key}, side, sipHash128(tuple({columns})) AS digest
    FROM {stacked}
)
GROUP BY {key}
