SELECT {key},
    arrayFilter(d -> d.2 != d.3,
        arrayZip({names}, stream_tally, oracle_tally)) AS differences
FROM {differing}
ORDER BY {key}
LIMIT {limit}
