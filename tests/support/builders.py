"""Values with something in each field, so that a test names only the fields it is about."""

from dataclasses import replace
from typing import Any

from kpis.agents.sessions import AgentSession
from kpis.facts import AgentQuarter
from kpis.fcr.visit import Visit

AT = 1_767_600_000_000  # 2026-01-05, 08:00 UTC
A_VISIT = Visit(
    customer_key="x",
    contact_id="c",
    channel="voice",
    queue="A",
    agent="ann",
    team="t",
    reason="",
    started_at=AT,
    entered_at=AT,
    ended_at=AT + 5,
    handled=1,
    failed=0,
    level1_resolvable=1,
    transfers=0,
    countable=1,
    wants_callback=0,
    callback_of=None,
)
A_SESSION = AgentSession(agent="ann", contact_id="c", leg=1, team="t", begin=AT, end=AT + 1_000)
A_QUARTER = AgentQuarter(
    agent="ann",
    window_start=AT,
    team="t",
    busy_ms=1,
    session_ms=1,
    logged_ms=0,
    idle_ms=0,
    logged_busy_ms=0,
    sessions=1,
)


def make_visit(**fields: Any) -> Visit:
    """A contact of a known customer, answered and resolved."""
    return replace(A_VISIT, **fields)


def make_session(**fields: Any) -> AgentSession:
    """A second of an agent's work on the first leg of a contact."""
    return replace(A_SESSION, **fields)


def make_quarter(**fields: Any) -> AgentQuarter:
    """An agent's quarter-hour with one short session."""
    return replace(A_QUARTER, **fields)
