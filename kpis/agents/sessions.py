"""What an agent was busy with, and in which state: the intervals that quarter-hours are made of."""

from dataclasses import dataclass

from kpis.facts import Facts
from kpis.frozen import frozen
from kpis.rules import Rules, is_async
from schemas.events import AgentStateChanged

SessionKey = tuple[str, int]  # contact_id, leg


@frozen
class AgentSession:
    """An agent's work on one leg, from the answer to the end of after-contact work."""

    agent: str
    contact_id: str
    leg: int
    team: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class StateInterval:
    """A state other than offline that lasted from `begin` to `end`."""

    state: str
    team: str
    begin: int
    end: int


def sessions_of(facts: Facts, rules: Rules) -> list[AgentSession]:
    """Sessions a contact gave its agents: of legs with known times, on channels where their time is work."""
    return [
        AgentSession(leg.agent, leg.contact_id, leg.leg, leg.team, leg.answered_at, leg.handled_at)
        for leg in facts.legs
        if leg.agent
        and leg.answered_at is not None
        and leg.handled_at is not None
        and leg.handled_at - leg.answered_at <= rules.stale_ms
        and not is_async(rules, leg.channel)
    ]


def interval_of(event: AgentStateChanged, begin: int, end: int, rules: Rules) -> StateInterval | None:
    """The state from an event to the next; None for offline, and for one whose end was lost."""
    if event.state == "offline" or end - begin > rules.agent_state_max_ms:
        return None
    return StateInterval(event.state, event.team or "", begin, end)
