-- Columns of table `kpi_windows` (without version; partition only where asked for): the bookings of legs, contacts
-- and offers, summed.
WITH
-- A measure is booked by legs, by contacts or by offers; the others add zeros, once a window.
summed AS (
    SELECT minute_ms, {by}channel, queue AS booked_queue, {leg_measures}, {contact_zeros}, {offer_zeros} FROM {leg_bookings}
    GROUP BY minute_ms, {by}channel, booked_queue
    UNION ALL
    SELECT minute_ms, {by}channel, queue AS booked_queue, {leg_zeros}, {contact_measures}, {offer_zeros} FROM {contact_bookings}
    GROUP BY minute_ms, {by}channel, booked_queue
    UNION ALL
    SELECT minute_ms, {by}channel, queue AS booked_queue, {leg_zeros}, {contact_zeros}, {offer_measures} FROM {offer_bookings}
    GROUP BY minute_ms, {by}channel, booked_queue
)
SELECT fromUnixTimestamp64Milli(minute_ms, 'UTC') AS window_start, {by}channel, booked_queue AS queue, {sums}
FROM summed
GROUP BY minute_ms, {by}channel, booked_queue
