-- Contacts that may be open at the moment; for the fold to look closer.
SELECT contact_id FROM {contacts}
WHERE started_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    AND (isNull(ended_at) OR ended_at > fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC'))
