SELECT window_start, channel, queue, days, sumMap(known) AS measures, max(stored_at) AS last_published_at
FROM (
    SELECT window_start, channel, queue, days, partition, argMax(measures, version) AS known, max(published_at) AS stored_at
    FROM published_windows
    WHERE published_at <= {moment:DateTime64(3, 'UTC')}
    GROUP BY window_start, channel, queue, days, partition
)
GROUP BY window_start, channel, queue, days
