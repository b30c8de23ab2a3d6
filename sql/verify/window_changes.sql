-- A row per window that new events change, of those whose keys have these hashes: its key, and the measures as (name, as it
-- stands, as it will be). Before and after are of the contacts concerned alone; the rest of a window stays as it is.
WITH hashes AS (SELECT arrayJoin({hashes:Array(UInt64)}))
SELECT {key},
    arrayFilter(c -> c.2 != c.3,
        arrayZip({names}, standing, arrayMap((s, a, b) -> s + a - b, standing, after, before))) AS changes
FROM (
    SELECT {key},
        sumForEach(if(side = 'before', tally, {zeros})) AS before,
        sumForEach(if(side = 'after', tally, {zeros})) AS after,
        sumForEach(if(side = 'standing', tally, {zeros})) AS standing
    FROM (
        SELECT {key}, 'before' AS side, {tally} AS tally FROM {earlier} WHERE cityHash64({key}) IN hashes
        UNION ALL
        SELECT {key}, 'after' AS side, {tally} AS tally FROM {later} WHERE cityHash64({key}) IN hashes
        UNION ALL
        SELECT {key}, 'standing' AS side, {tally} AS tally FROM {standing_table} FINAL
        WHERE cityHash64({key}) IN hashes
    )
    GROUP BY {key}
)
WHERE before != after
ORDER BY {key}
