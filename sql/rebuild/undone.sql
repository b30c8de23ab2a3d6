-- What stood before, where the rebuild's row still stands, above it; where nothing stood, what stands for nothing.
INSERT INTO {target} ({key}, {columns}, version{deleted})
SELECT {key}, {columns}, arrayElement({versions:Array(UInt64)}, {partition} + 1){deleted} FROM {before}
WHERE ({key}) NOT IN {overtaken}
UNION ALL
SELECT {key}, {nothing} FROM {rebuilt}
WHERE ({key}) NOT IN {overtaken} AND ({key}) NOT IN (SELECT {key} FROM {before})
