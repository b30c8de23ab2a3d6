"""What agents do in each quarter-hour: the union of their sessions, and the states they say they are in.

docs/facts.md 9. Occupancy and utilisation follow Amazon Connect (on contact / on contact or available),
concurrency the practice of planners (sum of session time / engaged wall time).
"""

from collections.abc import Iterable
from itertools import pairwise

from kpis.agents.intervals import Interval, clipped, common_ms, length_ms, union
from kpis.agents.sessions import AgentSession, StateInterval, interval_of
from kpis.facts import AgentQuarter
from kpis.rules import Rules
from schemas.events import AgentStateChanged
from schemas.time_units import QUARTER_MS

# What adds up of a quarter-hour.
AGENT_MEASURES = ("busy_ms", "session_ms", "logged_ms", "idle_ms", "logged_busy_ms", "sessions")


def quarter_of(time_ms: int) -> int:
    """Start of the quarter-hour that holds a time."""
    return time_ms - time_ms % QUARTER_MS


def quarters_between(begin: int, end: int) -> range:
    """Starts of the quarter-hours from the one that holds `begin` to the one that holds `end`."""
    return range(quarter_of(begin), end + 1, QUARTER_MS)


def fold_quarter(
    agent: str, start: int, sessions: Iterable[AgentSession], states: Iterable[StateInterval]
) -> AgentQuarter | None:
    """One quarter from the sessions and states that may meet it; None if nothing does."""
    end = start + QUARTER_MS
    here = [s for s in sessions if (s.begin < end and s.end > max(start, s.begin)) or start <= s.end < end]
    logged = [s for s in states if s.begin < end and s.end > start and s.end > s.begin]
    worked = [span for s in here if (span := clipped((s.begin, s.end), start, end))]
    busy = union(worked)
    known = [span for s in logged if (span := clipped((s.begin, s.end), start, end))]
    available: list[Interval] = [
        span for s in logged if s.state == "available" and (span := clipped((s.begin, s.end), start, end))
    ]
    meeting: list[AgentSession | StateInterval] = [*here, *logged]
    named = [(item.begin, item.end, item.team) for item in meeting if item.team]
    quarter = AgentQuarter(
        agent=agent,
        window_start=start,
        team=max(named)[2] if named else "",
        busy_ms=length_ms(busy),
        session_ms=length_ms(worked),
        logged_ms=length_ms(known),
        idle_ms=length_ms(available) - common_ms(available, busy),
        logged_busy_ms=common_ms(known, busy),
        sessions=sum(start <= s.end < end for s in here),
    )
    return quarter if quarter.session_ms or quarter.logged_ms or quarter.sessions else None


def agent_quarters(
    sessions: Iterable[AgentSession], states: Iterable[AgentStateChanged], rules: Rules
) -> list[AgentQuarter]:
    """All quarters of one agent, from sessions and state events (each event_id once): the plain form."""
    worked = list(sessions)
    ordered = sorted(states, key=lambda event: (event.occurred_at, event.event_id))
    found = [
        interval_of(event, event.occurred_at, after.occurred_at, rules) for event, after in pairwise(ordered)
    ]
    intervals = [interval for interval in found if interval is not None]
    agent = worked[0].agent if worked else (ordered[0].agent if ordered else "")
    spans = [(s.begin, s.end) for s in worked] + [(s.begin, s.end) for s in intervals]
    starts = {start for span in spans for start in quarters_between(*span)}
    quarters = (fold_quarter(agent, start, worked, intervals) for start in sorted(starts))
    return [quarter for quarter in quarters if quarter is not None]
