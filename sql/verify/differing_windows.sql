-- Both tallies of the windows that differ.
-- Not sumForEachIf: of a window that one side lacks it makes NULLs, which differ from nothing.
SELECT {key},
    sumForEach(if(side = 'stream', tally, {zeros})) AS stream_tally,
    sumForEach(if(side = 'oracle', tally, {zeros})) AS oracle_tally
FROM (
    SELECT {key}, 'stream' AS side, {tally} AS tally FROM {stream} FINAL {where}
    UNION ALL
    SELECT {key}, 'oracle' AS side, {tally} AS tally FROM {oracle} {where}
)
WHERE ({key}) IN (SELECT {key} FROM {paired} WHERE differs)
GROUP BY {key}
