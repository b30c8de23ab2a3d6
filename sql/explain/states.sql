-- What counts of each state event that may matter to quarters in the range.
SELECT agent, event_id,
    argMax((team, state, toUnixTimestamp64Milli(occurred_at), source), (greatest(revision, revision_wide), canonical)) AS best
FROM agent_events
WHERE (agent, event_id) IN (
    SELECT agent, event_id FROM agent_events
    WHERE occurred_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {agent_state_max_ms:Int64}, 'UTC')
        AND occurred_at < fromUnixTimestamp64Milli({to_ms:Int64} + 900000 + {agent_state_max_ms:Int64}, 'UTC')
)
GROUP BY agent, event_id
