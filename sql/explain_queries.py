"""SQL behind `ringback explain`: the raw events of the contacts, and of the agents, that a KPI is made of.

Parameters: from_ms and to_ms (Int64); as_of_ms and acw_stale_ms, stale_longest_ms where the text names them.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from sql.kpi_queries import SINCE, STREAM_CONTACTS, STREAM_LEGS
from sql.oracle_queries import EVENTS, customers_in_range, in_range
from sql.templates import compose, fill


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
    return events(compose("explain", "of_sessions", legs=STREAM_LEGS))


def of_moment() -> str:
    """Events of contacts that may wait, talk or be wrapped up at {as_of_ms}; for the fold to look closer."""
    return events(compose("explain", "of_moment", legs=STREAM_LEGS))


def later_states() -> str:
    """agent, event_id and what counts of each state event that can reach into the range, or comes after: is
    a state the last one?
    """
    return fill("explain", "states", within=SINCE)


def of_backlog() -> str:
    """Events of contacts that may be open at {as_of_ms}; for the fold to look closer."""
    return events(compose("explain", "of_backlog", contacts=STREAM_CONTACTS))
