-- What stood before, where the rebuild's row still stands, above it.
INSERT INTO {target} ({key}, {columns}, version{deleted})
SELECT {key}, {columns}, arrayElement({versions:Array(UInt64)}, {partition} + 1){deleted}
FROM {before}
WHERE ({key}) IN (
    SELECT {key} FROM {table} WHERE ({key}) IN (SELECT {key} FROM {rebuilt})
    GROUP BY {key}
    HAVING ({key}, max(version)) IN (SELECT {key}, version FROM {rebuilt})
)
