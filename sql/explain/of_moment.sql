-- Contacts that may wait, talk or be wrapped up at the moment; for the fold to look closer.
SELECT contact_id FROM {legs}
WHERE entered_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    AND (isNull(ended_at)
        OR ended_at > fromUnixTimestamp64Milli({as_of_ms:Int64} - {acw_stale_ms:Int64}, 'UTC')
        OR handled_at > fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC'))
    AND (handled_at > fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
        OR entered_at > fromUnixTimestamp64Milli({as_of_ms:Int64} - {stale_longest_ms:Int64}, 'UTC')
        OR answered_at > fromUnixTimestamp64Milli({as_of_ms:Int64} - {stale_longest_ms:Int64}, 'UTC')
        OR ended_at > fromUnixTimestamp64Milli({as_of_ms:Int64} - {acw_stale_ms:Int64}, 'UTC'))
