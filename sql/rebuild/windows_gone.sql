-- Windows that stand and should not: all zeros.
INSERT INTO {target} ({key}, version)
SELECT {key}, arrayElement({versions:Array(UInt64)}, partition + 1) FROM {keys}
WHERE partition < length({versions:Array(UInt64)}) AND ({key}) NOT IN (SELECT {key} FROM {made})
