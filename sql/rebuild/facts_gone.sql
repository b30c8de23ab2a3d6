-- Facts that stand and should not.
INSERT INTO {target} ({key}, {columns}, version, is_deleted)
SELECT {key}, {columns}, arrayElement({versions:Array(UInt64)}, {partition} + 1), 1
FROM {table} FINAL
WHERE ({key}) IN (SELECT {key} FROM {keys}) AND ({key}) NOT IN (SELECT {key} FROM {made})
