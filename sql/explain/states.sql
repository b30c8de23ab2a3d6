-- What counts of each of these state events.
SELECT agent, event_id,
    argMax((team, state, toUnixTimestamp64Milli(occurred_at), source, reason), (greatest(revision, revision_wide), canonical)) AS best
FROM agent_events {within}
GROUP BY agent, event_id
