-- Windows that stand otherwise than recomputed, as they should be.
INSERT INTO {target} ({key}, {columns}, version)
SELECT {key}, {picked}, arrayElement({versions:Array(UInt64)}, partition + 1)
FROM {paired}
WHERE stream_tally != oracle_tally AND partition < length({versions:Array(UInt64)}) AND {only}
