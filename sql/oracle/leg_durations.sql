-- Columns of table `leg_durations`, from legs: a row where the wait is booked and one where the handling is.
SELECT booking.1 AS kind,
    fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC') AS booked_at,
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms
FROM {legs}
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
