-- All facts of both sides, with some values of each. The two sides' types become one.
SELECT {key}, 'stream' AS side, {values}
FROM {stream} FINAL WHERE is_deleted = 0 AND {scope}
UNION ALL
SELECT {key}, 'oracle' AS side, {values}
FROM {oracle} WHERE {scope}
