-- A row per differing fact: rows on each side, differences as (column, stream, oracle).
SELECT {key}, stream_rows, oracle_rows,
    arrayFilter(d -> NOT (d.2 <=> d.3),
        arrayZip({names}, stream_texts, oracle_texts)) AS differences
FROM (
    SELECT {key}, countIf(side = 'stream') AS stream_rows, countIf(side = 'oracle') AS oracle_rows,
        arrayResize(anyIf(texts, side = 'stream'), {columns}, NULL) AS stream_texts,
        arrayResize(anyIf(texts, side = 'oracle'), {columns}, NULL) AS oracle_texts
    FROM {stacked}
    WHERE ({key}) IN (SELECT {key} FROM {paired} WHERE differs ORDER BY {key} LIMIT {limit})
    GROUP BY {key}
)
ORDER BY {key}
