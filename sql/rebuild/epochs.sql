-- The greatest epoch of any row of each partition.
SELECT row_partition, max(row_epoch) AS epoch
FROM (
    {rows}
)
GROUP BY row_partition
ORDER BY row_partition
