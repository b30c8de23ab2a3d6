-- All facts of both sides, with the columns' values as text or NULL.
SELECT {key}, 'stream' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts
FROM {stream} FINAL WHERE is_deleted = 0 AND {scope}
UNION ALL
SELECT {key}, 'oracle' AS side, CAST({texts}, 'Array(Nullable(String))') AS texts
FROM {oracle} WHERE {scope}
