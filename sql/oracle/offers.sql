-- Columns of table `offers`, from the fold's rows (docs/facts.md 5).
WITH
-- The legs of each contact that was offered to anybody, and its offers.
grouped AS (
    SELECT contact_id, any(has_life) AS known, groupArrayArray(offers) AS told,
        any(channel) AS contact_channel, any(direction) AS contact_direction, any(reason) AS contact_reason,
        any(contact_dimensions) AS own_dimensions,
        groupArray(toUInt32(leg)) AS numbers, groupArray(leg_queue) AS queues,
        groupArray(toUInt8(is_answered)) AS taken, groupArray(leg_dimensions) AS of_legs
    FROM {fold}
    WHERE has_offers
    GROUP BY contact_id
)
SELECT contact_id, offer.event_id AS event_id, offer.leg AS leg,
    if(known, contact_channel, offer.channel) AS channel,
    if(known, contact_direction, 'inbound') AS direction,
    -- an index of 0 gives '', 0
    if(known, queues[indexOf(numbers, offer.leg)], '') AS queue,
    ifNull(offer.agent, '') AS agent, ifNull(offer.team, '') AS team,
    if(known, contact_reason, '') AS reason,
    if(has(numbers, offer.leg), of_legs[indexOf(numbers, offer.leg)], own_dimensions) AS dimensions,
    fromUnixTimestamp64Milli(offer.at, 'UTC') AS ended_at,
    offer.detail AS outcome, offer.ring_ms AS ring_ms,
    offer.detail = 'answered' AND NOT taken[indexOf(numbers, offer.leg)] AS beside
FROM grouped ARRAY JOIN told AS offer
