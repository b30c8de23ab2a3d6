-- Contacts that an agent was busy with in the quarters that begin in the range, or is now.
SELECT contact_id FROM {legs}
WHERE agent != ''
    AND answered_at < fromUnixTimestamp64Milli({to_ms:Int64} + 900000, 'UTC')
    AND (handled_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') OR (handled AND isNull(handled_at)
        AND answered_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {stale_longest_ms:Int64}, 'UTC')))
