-- The last legs of an agent.
SELECT contact_id, leg, channel, queue, toUnixTimestamp64Milli(entered_at) AS entered_ms,
    toUnixTimestamp64Milli(answered_at) AS answered_ms, toUnixTimestamp64Milli(ended_at) AS ended_ms,
    queue_ms, talk_ms, hold_ms, acw_ms, handle_ms, end_type, transferred_out
FROM legs FINAL
WHERE is_deleted = 0 AND agent = {agent:String}
    AND entered_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND entered_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY entered_at DESC
LIMIT 100
