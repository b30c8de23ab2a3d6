-- The state that each agent is in, by what counts of its state events.
SELECT agent, argMax(team, order_by) AS team, argMax(state, order_by) AS state, max(at_ms) AS since_ms
FROM (
    SELECT agent, event_id, argMax(ifNull(team, ''), of_variant) AS team, argMax(state, of_variant) AS state,
        argMax(toUnixTimestamp64Milli(occurred_at), of_variant) AS at_ms, (at_ms, event_id) AS order_by
    FROM (
        SELECT agent, event_id, team, state, occurred_at,
            (greatest(revision, revision_wide), canonical) AS of_variant
        FROM agent_events
        WHERE occurred_at >= fromUnixTimestamp64Milli({as_of_ms:Int64} - {agent_state_max_ms:Int64}, 'UTC')
            AND occurred_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    )
    GROUP BY agent, event_id
)
GROUP BY agent
