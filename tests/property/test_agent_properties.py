"""Agents' quarter-hours: kept change by change they are what all sessions and states at once give."""

import os
import random

from support.builders import make_session

from kpis.agents.history import AgentHistory
from kpis.agents.quarters import agent_quarters
from kpis.agents.sessions import AgentSession
from kpis.facts import AgentQuarter
from kpis.rules import Rules
from schemas.events import AgentStateChanged
from schemas.time_units import DAY_MS, QUARTER_MS

START_MS = 1_767_571_200_000
LOADED_SEEDS = int(os.environ.get("RINGBACK_EXAMPLES", "200"))
RULES = Rules()
STATES = ("available", "busy", "break", "training", "meeting", "offline")


def random_time(rng: random.Random) -> int:
    return START_MS + rng.randrange(12) * QUARTER_MS // 2 + rng.choice((0, 0, -1, 1, 137))


def random_session(rng: random.Random, contact_id: str) -> AgentSession:
    begin = random_time(rng)
    end = begin + rng.choice((0, 1, 1000, QUARTER_MS, QUARTER_MS - 1, 3 * QUARTER_MS))
    return make_session(contact_id=contact_id, team=rng.choice(("", "t1", "t2")), begin=begin, end=end)


def random_state(rng: random.Random, event_id: str) -> AgentStateChanged:
    occurred_at = random_time(rng) + rng.choice((0, 0, 0, DAY_MS, DAY_MS + 1, 2 * DAY_MS))
    team = rng.choice((None, "t1", "t3"))
    state = rng.choice(STATES)
    return AgentStateChanged(  # type: ignore[call-arg]
        event_id=event_id, agent="ann", team=team, state=state, occurred_at=occurred_at, source="pbx"
    )


def random_change(
    rng: random.Random,
    history: AgentHistory,
    sessions: dict[tuple[str, int], AgentSession],
    states: dict[str, AgentStateChanged],
) -> dict[int, AgentQuarter | None]:
    """Set or take out a session or a state, in the history and in what it must be the history of."""
    name, gone = f"e{rng.randrange(8)}", rng.random() < 0.2
    if rng.random() < 0.5:
        session = None if gone else random_session(rng, name)
        sessions.pop((name, 1), None)
        if session is not None:
            sessions[name, 1] = session
        return history.put_session((name, 1), session)
    state = None if gone else random_state(rng, name)
    states.pop(name, None)
    if state is not None:
        states[name] = state
    return history.put_state(name, state)


def test_history_is_the_plain_form() -> None:
    for seed in range(60):
        rng = random.Random(seed)
        history = AgentHistory("ann", RULES)
        sessions: dict[tuple[str, int], AgentSession] = {}
        states: dict[str, AgentStateChanged] = {}
        told = {}
        for _ in range(30):
            for start, quarter in random_change(rng, history, sessions, states).items():
                assert told.get(start) != quarter
                told[start] = quarter
            expected = agent_quarters(sessions.values(), states.values(), RULES)
            assert history.quarters() == expected
            assert [told[start] for start in sorted(told) if told[start] is not None] == expected


def test_a_history_that_was_loaded_is_the_plain_form() -> None:
    """What is read again in between, and not folded, tells the same; perhaps once more."""
    for seed in range(LOADED_SEEDS):
        rng = random.Random(seed)
        history = AgentHistory("ann", RULES)
        sessions: dict[tuple[str, int], AgentSession] = {}
        states: dict[str, AgentStateChanged] = {}
        told: dict[int, AgentQuarter | None] = {}
        for _ in range(30):
            told |= random_change(rng, history, sessions, states)
            if rng.random() < 0.3:
                history = AgentHistory("ann", RULES)
                history.load(sessions.items(), states.items())
            expected = agent_quarters(sessions.values(), states.values(), RULES)
            assert [told[start] for start in sorted(told) if told[start] is not None] == expected
            if rng.random() < 0.1:
                assert history.quarters() == expected


def test_bounds() -> None:
    """Busy is at most the session time, what is known at most the quarter, and rates are at most 1."""
    for seed in range(100):
        rng = random.Random(seed)
        sessions = [random_session(rng, f"c{number}") for number in range(10)]
        states = [random_state(rng, f"e{number}") for number in range(10)]
        for quarter in agent_quarters(sessions, states, RULES):
            assert 0 <= quarter.logged_busy_ms <= quarter.busy_ms <= quarter.session_ms
            assert quarter.busy_ms <= QUARTER_MS
            assert quarter.logged_busy_ms + quarter.idle_ms <= quarter.logged_ms <= QUARTER_MS
