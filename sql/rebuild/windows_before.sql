-- The same windows as they stand; where there is none, all zeros.
INSERT INTO {target} ({key}, {columns}, version)
SELECT {key}, {columns}, version FROM {table} FINAL WHERE ({key}) IN (SELECT {key} FROM {rebuilt})
UNION ALL
SELECT {key}, {zeros}, toUInt64(0) FROM {rebuilt}
WHERE ({key}) NOT IN (SELECT {key} FROM {table} WHERE ({key}) IN (SELECT {key} FROM {rebuilt}))
