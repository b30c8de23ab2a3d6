-- Facts as they should be.
INSERT INTO {target} ({key}, {columns}, version, is_deleted)
SELECT {key}, {columns}, arrayElement({versions:Array(UInt64)}, {partition} + 1), 0
FROM {oracle}
WHERE {which}
