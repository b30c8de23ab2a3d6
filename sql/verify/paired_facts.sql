-- One row per key. Compared by 128-bit hashes: whole rows of millions would not fit.
SELECT {key},
    countIf(side = 'stream') != 1 OR countIf(side = 'oracle') != 1
        OR minIf(digest, side = 'stream') != minIf(digest, side = 'oracle') AS differs
FROM (
    SELECT {key}, side, sipHash128(toString(texts)) AS digest
    FROM {stacked}
)
GROUP BY {key}
