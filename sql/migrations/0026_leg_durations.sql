-- Longest values and percentiles of a time: legs by when their wait and their handling are booked, so that a day is
-- read without all others. `contact_id` and `leg` name the leg; a leg that a correction moved leaves a row with
-- is_deleted = 1 where it was.
CREATE TABLE IF NOT EXISTS leg_durations
(
    kind LowCardinality(String),
    booked_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    contact_id String,
    leg UInt32,
    channel LowCardinality(String),
    queue LowCardinality(String),
    answered UInt8,
    queue_ms Nullable(Int64),
    handle_ms Nullable(Int64),
    hold_n UInt32,
    hold_max_ms Int64,
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, booked_at, contact_id, leg);

-- Those that are stored, in parts: each is to take less than the time after which an answer is given up.
INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 0;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 1;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 2;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 3;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 4;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 5;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 6;

INSERT INTO leg_durations
SELECT booking.1, fromUnixTimestamp64Milli(intDiv(assumeNotNull(booking.2), 60000) * 60000, 'UTC'),
    contact_id, leg, channel, queue, answered, queue_ms, handle_ms, hold_n, hold_max_ms, version, 0
FROM legs FINAL
ARRAY JOIN arrayFilter(b -> isNotNull(b.2), [
    ('waited', if(offered AND isNotNull(queue_ms), toNullable(toUnixTimestamp64Milli(entered_at)), NULL)),
    ('handled', if(handled, toUnixTimestamp64Milli(handled_at), NULL))
]) AS booking
WHERE is_deleted = 0 AND sipHash64(contact_id) % 8 = 7;
