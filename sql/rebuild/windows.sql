-- Windows as they should be.
INSERT INTO {target} ({key}, {columns}, version)
SELECT {key}, {sums}, arrayElement({versions:Array(UInt64)}, partition + 1)
FROM {oracle}
WHERE partition < length({versions:Array(UInt64)}) AND {which}
GROUP BY {key}
HAVING sum({number}) != 0
