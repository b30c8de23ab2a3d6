-- Both tallies of every window that is not all zeros on both sides.
-- Not sumForEachIf: of a window that one side lacks it makes NULLs, which differ from nothing.
SELECT {key},
    sumForEach(if(side = 'stream', tally, {zeros})) AS stream_tally,
    sumForEach(if(side = 'oracle', tally, {zeros})) AS oracle_tally
FROM (
    SELECT {key}, 'stream' AS side, {tally} AS tally FROM {stream} FINAL {where}
    UNION ALL
    SELECT {key}, 'oracle' AS side, {tally} AS tally FROM {oracle} {where}
)
GROUP BY {key}
HAVING arrayExists(v -> v != 0, stream_tally) OR arrayExists(v -> v != 0, oracle_tally)
