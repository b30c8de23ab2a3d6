-- Columns of table `kpi_windows` (without version; partition only where asked for): the bookings of legs and contacts, summed.
WITH
-- A measure is booked by legs or by contacts, never by both; the other side adds zeros.
bookings AS (
    SELECT minute_ms, {by}channel, queue AS booked_queue, {leg_measures}, {contact_zeros} FROM {leg_bookings}
    UNION ALL
    SELECT minute_ms, {by}channel, queue AS booked_queue, {leg_zeros}, {contact_measures} FROM {contact_bookings}
)
SELECT fromUnixTimestamp64Milli(minute_ms, 'UTC') AS window_start, {by}channel, booked_queue AS queue, {sums}
FROM bookings
GROUP BY minute_ms, {by}channel, booked_queue
