-- What each offer to an agent adds to the KPI windows (docs/facts.md 6): columns as of leg_bookings.
SELECT intDiv(toUnixTimestamp64Milli(ended_at), 60000) * 60000 AS minute_ms,
    {own}channel, queue, agent, team, reason, dimensions,
    toInt64(beside) AS m_offers_beside,
    toInt64(outcome = 'missed') AS m_offers_missed,
    toInt64(outcome = 'refused') AS m_offers_refused,
    toInt64(outcome = 'timed_out') AS m_offers_timed_out,
    toInt64(outcome = 'withdrawn') AS m_offers_withdrawn,
    ifNull(offer.ring_ms, 0) AS m_ring_ms,
    toInt64(isNotNull(offer.ring_ms)) AS m_ring_n,
    if(outcome IN ('missed', 'refused', 'timed_out'), ifNull(offer.ring_ms, 0), 0) AS m_missed_ring_ms,
    toInt64(outcome IN ('missed', 'refused', 'timed_out') AND isNotNull(offer.ring_ms)) AS m_missed_ring_n
FROM {offers} AS offer
-- the answer of a leg is counted with the leg
WHERE outcome != 'answered' OR beside OR isNotNull(offer.ring_ms)
