-- What counts of each state event that can reach into the range, or comes after.
SELECT agent, event_id,
    argMax((team, state, toUnixTimestamp64Milli(occurred_at), source, reason), (greatest(revision, revision_wide), canonical)) AS best
FROM agent_events {since}
GROUP BY agent, event_id
