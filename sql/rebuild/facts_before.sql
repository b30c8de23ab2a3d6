-- The same facts as they stand.
INSERT INTO {target} ({key}, {columns}, version, is_deleted)
SELECT {key}, {columns}, version, is_deleted FROM {table} FINAL
WHERE is_deleted = 0 AND ({key}) IN (SELECT {key} FROM {rebuilt})
