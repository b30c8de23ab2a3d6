-- The same facts as they stand; where there is none, a row that is deleted.
INSERT INTO {target} ({key}, {columns}, version, is_deleted)
SELECT {key}, {columns}, version, is_deleted FROM {table} FINAL
WHERE is_deleted = 0 AND ({key}) IN (SELECT {key} FROM {rebuilt})
UNION ALL
SELECT {key}, {columns}, toUInt64(0), toUInt8(1) FROM {rebuilt}
WHERE ({key}) NOT IN (
    SELECT {key} FROM {table} FINAL WHERE is_deleted = 0 AND ({key}) IN (SELECT {key} FROM {rebuilt})
)
