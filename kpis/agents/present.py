"""Quarter-hours of agents at a moment: what they are in lasts until then (docs/facts.md 9).

What is kept of quarter-hours knows what is over. This changes with every minute, and so is read and not kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kpis.agents.quarters import agent_quarters, quarter_of
from kpis.agents.sessions import AgentSession
from kpis.facts import AgentQuarter, Facts
from kpis.rules import Rules, is_async
from schemas.events import AgentStateChanged


def open_sessions_of(facts: Facts, as_of: int, rules: Rules) -> list[AgentSession]:
    """Talks of a contact whose end is not known, up to the moment; after the stale limit it was lost."""
    return [
        AgentSession(leg.agent, leg.contact_id, leg.leg, leg.team, leg.answered_at, as_of)
        for leg in facts.legs
        if leg.agent
        and leg.handled
        and leg.answered_at is not None
        and leg.handled_at is None
        and leg.answered_at < as_of <= leg.answered_at + rules.stale_ms
        and not is_async(rules, leg.channel)
    ]


def present_state(states: Sequence[AgentStateChanged], as_of: int, rules: Rules) -> AgentStateChanged | None:
    """The state that an agent is in at the moment: the last one, unless it is offline or its end was lost."""
    last = max(states, key=lambda event: (event.occurred_at, event.event_id), default=None)
    if last is None or last.state == "offline":
        return None
    return last if last.occurred_at < as_of <= last.occurred_at + rules.agent_state_max_ms else None


def present_end(state: AgentStateChanged, as_of: int) -> AgentStateChanged:
    """The end that a state which still lasts has at the moment."""
    return state.model_copy(update={"state": "offline", "occurred_at": as_of})


def present_quarters(
    sessions: Iterable[AgentSession],
    opened: Sequence[AgentSession],
    states: Sequence[AgentStateChanged],
    as_of: int,
    rules: Rules,
) -> Iterator[tuple[AgentQuarter, bool]]:
    """All quarters of one agent, and whether anything open is in them. What is open has not finished."""
    present = present_state(states, as_of, rules)
    over = [present_end(present, as_of)] if present else []
    begins = [session.begin for session in opened] + ([present.occurred_at] if present else [])
    since = quarter_of(min(begins, default=as_of))
    for quarter in agent_quarters([*sessions, *opened], [*states, *over], rules):
        if quarter.window_start == quarter_of(as_of):
            quarter = replace(quarter, sessions=quarter.sessions - len(opened))
        yield quarter, since <= quarter.window_start < as_of and bool(begins)
