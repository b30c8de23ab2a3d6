-- By minute the events of the contacts whose facts are made anew.
SELECT toDateTime64(toStartOfMinute(occurred_at), 3, 'UTC') AS minute,
    arraySlice(arraySort(groupUniqArray((contact_id, event_id, toString(type)))), 1, {most:UInt32}) AS events
FROM events
WHERE contact_id IN (SELECT contact_id FROM {contacts})
    AND toDateTime64(toStartOfMinute(occurred_at), 3, 'UTC') IN {minutes:Array(DateTime64(3, 'UTC'))}
GROUP BY minute
