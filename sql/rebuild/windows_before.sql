-- The same windows as they stand.
INSERT INTO {target} ({key}, {columns}, version)
SELECT {key}, {columns}, version FROM {table} FINAL WHERE ({key}) IN (SELECT {key} FROM {rebuilt})
