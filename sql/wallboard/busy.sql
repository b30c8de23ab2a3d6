-- Agents with a contact in hand or wrapping one up, and the queue of it.
SELECT agent, any(queue) AS queue, max(m_active_now) AS talks
FROM {live}
WHERE agent != '' AND (m_active_now OR m_acw_now)
GROUP BY agent
