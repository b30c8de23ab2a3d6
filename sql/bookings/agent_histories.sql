-- The states of each agent in order: (when, event_id, state, team, reason). Of several variants of an event the
-- greatest (revision, canonical) counts.
SELECT who, arraySort(s -> (s.1, s.2),
    groupArray((last_variant.1, event_id, last_variant.2, last_variant.3, last_variant.4))) AS history
FROM (
    SELECT agent AS who, event_id, argMax((toUnixTimestamp64Milli(occurred_at), toString(state),
        ifNull(toString(team), ''), ifNull(toString(reason), '')), (greatest(revision, revision_wide), canonical))
            AS last_variant
    FROM {agent_events}
    GROUP BY who, event_id
)
GROUP BY who
