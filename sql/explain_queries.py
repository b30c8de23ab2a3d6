"""SQL behind `ringback explain`: the raw events of the contacts, and of the agents, that a KPI is made of.

Parameters: from_ms and to_ms (Int64); as_of_ms and acw_stale_ms, stale_longest_ms where the text names them.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from sql.kpi_queries import STREAM_LEGS
from sql.oracle_queries import EVENTS, customers_in_range, in_range

MOMENT = "fromUnixTimestamp64Milli({{{0}:Int64}}{1}, 'UTC')"
AS_OF = MOMENT.format("as_of_ms", "")


def events(contact_ids: str) -> str:
    """canonical64: the events of these contacts, every variant of each."""
    return (
        "SELECT DISTINCT base64Encode(canonical) AS canonical64 "
        f"FROM {EVENTS} WHERE contact_id IN {contact_ids}"
    )


def of_contacts_in_range() -> str:
    """Events of contacts with an event in the range."""
    return events(in_range())


def of_customers_in_range() -> str:
    """Events of all contacts of the customers who have a contact with an event in the range."""
    return events(f"(SELECT contact_id FROM {EVENTS} WHERE customer_key IN {customers_in_range()})")


def of_callbacks_in_range() -> str:
    """Events of contacts with an event in the range, and of those that call them back."""
    return events(
        f"(SELECT contact_id FROM {EVENTS} WHERE contact_id IN {in_range()} OR callback_of IN {in_range()})"
    )


def of_sessions_in_range() -> str:
    """Events of contacts that an agent was busy with in the quarters that begin in the range."""
    end = MOMENT.format("to_ms", " + 900000")
    begin = MOMENT.format("from_ms", "")
    return events(
        f"(SELECT contact_id FROM {STREAM_LEGS} "
        f"WHERE agent != '' AND answered_at < {end} AND handled_at >= {begin})"
    )


def of_moment() -> str:
    """Events of contacts that may wait, talk or be wrapped up at {as_of_ms}; for the fold to look closer."""
    late = MOMENT.format("as_of_ms", " - {acw_stale_ms:Int64}")
    fresh = MOMENT.format("as_of_ms", " - {stale_longest_ms:Int64}")
    return events(
        f"(SELECT contact_id FROM {STREAM_LEGS} WHERE entered_at <= {AS_OF} "
        f"AND (isNull(ended_at) OR ended_at > {late} OR handled_at > {AS_OF}) "
        f"AND (handled_at > {AS_OF} OR entered_at > {fresh} OR answered_at > {fresh} OR ended_at > {late}))"
    )


def states_in_range() -> str:
    """agent, event_id and what counts of each state event that may matter to quarters in the range."""
    begin = MOMENT.format("from_ms", " - {agent_state_max_ms:Int64}")
    end = MOMENT.format("to_ms", " + 900000 + {agent_state_max_ms:Int64}")
    return f"""SELECT agent, event_id,
    argMax((team, state, toUnixTimestamp64Milli(occurred_at), source), (revision, canonical)) AS best
FROM agent_events
WHERE (agent, event_id) IN (
    SELECT agent, event_id FROM agent_events WHERE occurred_at >= {begin} AND occurred_at < {end}
)
GROUP BY agent, event_id"""
