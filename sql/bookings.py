"""What surveys, candidates of first contact resolution and legs of the moment add to KPIs, as SQL.

Each function returns a SELECT in brackets, to be used as a relation, with the measures as m_<measure>. They
read facts, wherever these come from: the stream's tables or the oracle's relations.
"""

# ruff: noqa: S608 -- names and relations are ours

from collections.abc import Sequence
from typing import Literal

from sql.limits import limits, target
from sql.templates import compose, fill

FEW_LEGS = 2_000_000  # merging the versions of ten million takes 1.6 s


def survey_bookings(surveys: str, at: Literal["booked_at", "responded_at"] = "booked_at") -> str:
    """What answers add: minute_ms, channel, queue, agent, team, reason, m_<measure>. No parameters."""
    return compose("bookings", "surveys", surveys=surveys, at=at)


def fcr_bookings(fcr: str, days: Sequence[int], contacts: str = "") -> str:
    """What candidates add, per length of the window: minute_ms, days, channel, queue, agent, team, reason,
    m_<measure>. No parameters. With the relation of their `contacts` also the dimensions of these.
    """
    if contacts:
        own = f"(SELECT contact_id, dimensions FROM {contacts}) AS own USING contact_id"
        fcr = f"(SELECT f.*, own.dimensions AS dimensions FROM {fcr} AS f LEFT JOIN {own})"
    lengths = f"[{', '.join(str(int(length)) for length in days)}]"
    return compose("bookings", "fcr", fcr=fcr, days=lengths, also="dimensions, " if contacts else "")


def agent_histories(agent_events: str) -> str:
    """The states of each agent in order, from raw events: who, history. No parameters."""
    return compose("bookings", "agent_histories", agent_events=agent_events)


def states(since: str = "", agent_events: str = "agent_events") -> str:
    """How long agents were in each state: minute_ms, agent, team, reason, m_<measure>.

    `since` is a WHERE that leaves out old events. Parameters: as_of_ms, agent_state_max_ms (Int64).
    """
    return compose("bookings", "states", histories=agent_histories(f"{agent_events} {since}"))


def quarters_now(quarters: str, legs: str) -> str:
    """Quarter-hours of agents, with what is open at a moment: columns of the table, and open_pieces.

    Parameters: as_of_ms, agent_state_max_ms, stale_ms (Int64), async_channels.
    """
    return compose(
        "bookings", "quarters_now", quarters=quarters, legs=legs, histories=agent_histories("near")
    )


def backlog(contacts: str, legs: str) -> str:
    """Open contacts: channel, queue, agent, team, reason, dimensions, m_<measure>.

    Parameters: as_of_ms, stale_ms (Int64), async_channels.
    """
    return compose("bookings", "backlog", contacts=contacts, legs=legs)


def live(legs: str) -> str:
    """What legs are at a moment: entered_ms, channel, queue, agent, team, reason, m_<measure>, and age_ms
    (NULL where not waiting). One row per leg that had entered by then.

    Parameters: as_of_ms (Int64), and of sql.oracle_queries: stale_ms, stale_async_ms, acw_stale_ms,
    limits_from_ms, short_abandon_ms, async_channels, t_queues, t_queue_ms, t_channels, t_channel_ms,
    t_default_ms.
    """
    return compose("bookings", "live", legs=legs, limits=limits("leg_entered_ms"), target=target("queue"))


def near_legs(recent: str, moment: str, acw_stale_ms: str) -> str:
    """Legs that can be anything at a moment, or were entered since `recent`; all of these are SQL."""
    near = fill("bookings", "near", recent=recent, moment=moment, acw_stale_ms=acw_stale_ms)
    return compose("bookings", "near_legs", near=near, few=str(FEW_LEGS))
