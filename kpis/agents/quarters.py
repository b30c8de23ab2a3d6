"""What agents do in each quarter-hour: the union of their sessions, and the states they say they are in.

docs/facts.md 9. Occupancy and utilisation follow Amazon Connect (on contact / on contact or available),
concurrency the practice of planners (sum of session time / engaged wall time).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from kpis.agents.intervals import Interval, clipped, common_ms, length_ms, union
from kpis.facts import AgentQuarter, Facts
from kpis.rules import Rules, is_async
from schemas.events import AgentStateChanged
from schemas.time_units import QUARTER_MS

# What adds up of a quarter-hour.
AGENT_MEASURES = ("busy_ms", "session_ms", "logged_ms", "idle_ms", "logged_busy_ms", "sessions")
SessionKey = tuple[str, int]  # contact_id, leg


@dataclass(frozen=True, slots=True)
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


class AgentHistory:
    """Sessions and state events of one agent. A change costs as much as the quarters it meets.

    So it does in a history that was loaded: of years of work only the quarters that change are folded. Such a
    quarter is taken for changed when it is first folded, as nobody knows what it was.
    """

    def __init__(self, agent: str, rules: Rules) -> None:
        self.agent = agent
        self._rules = rules
        self._sessions: dict[SessionKey, AgentSession] = {}
        self._by_quarter: defaultdict[int, dict[SessionKey, AgentSession]] = defaultdict(dict)
        self._events: dict[str, AgentStateChanged] = {}
        self._order: list[tuple[int, str]] = []
        self._quarters: dict[int, AgentQuarter | None] = {}
        self._loaded = False

    def load(
        self,
        sessions: Iterable[tuple[SessionKey, AgentSession]],
        events: Iterable[tuple[str, AgentStateChanged]],
    ) -> None:
        """Set all at once, in a history that is empty."""
        for key, session in sessions:
            self._place(key, session)
        self._events.update(events)
        self._order = sorted((event.occurred_at, event_id) for event_id, event in self._events.items())
        self._loaded = True

    def quarters(self) -> list[AgentQuarter]:
        """All quarters, in order."""
        if self._loaded:
            self._refold(self._starts() - self._quarters.keys())
            self._loaded = False
        return [quarter for _, quarter in sorted(self._quarters.items()) if quarter is not None]

    def _starts(self) -> set[int]:
        """Starts of all quarters that sessions or states meet."""
        longest = self._rules.agent_state_max_ms
        lasted = (
            quarters_between(begin, end)
            for (begin, _), (end, _) in pairwise(self._order)
            if end - begin <= longest
        )
        return {*self._by_quarter, *chain.from_iterable(lasted)}

    def _place(self, key: SessionKey, session: AgentSession) -> range:
        """Set a session that is not there yet; the quarters it meets."""
        met = quarters_between(session.begin, session.end)
        self._sessions[key] = session
        for start in met:
            self._by_quarter[start][key] = session
        return met

    def put_session(self, key: SessionKey, session: AgentSession | None) -> dict[int, AgentQuarter | None]:
        """Set the session of a leg, None if it has none (any more); the quarters that changed."""
        known = self._sessions.pop(key, None)
        touched: set[int] = set()
        if known is not None:
            for start in quarters_between(known.begin, known.end):
                del self._by_quarter[start][key]
                touched.add(start)
        if session is not None:
            touched.update(self._place(key, session))
        return self._refold(touched)

    def put_state(self, event_id: str, event: AgentStateChanged | None) -> dict[int, AgentQuarter | None]:
        """Set a state event, None to take it out; the quarters that changed."""
        known = self._events.pop(event_id, None)
        touched: set[int] = set()
        if known is not None:
            place = bisect_left(self._order, (known.occurred_at, event_id))
            del self._order[place]
            touched.update(self._around(known.occurred_at, place, place))
        if event is not None:
            self._events[event_id] = event
            place = bisect_left(self._order, (event.occurred_at, event_id))
            self._order.insert(place, (event.occurred_at, event_id))
            touched.update(self._around(event.occurred_at, place, place + 1))
        return self._refold(touched)

    def _around(self, time_ms: int, before: int, after: int) -> range:
        """Quarters between the events before and after a time, as far as a state can last."""
        longest = self._rules.agent_state_max_ms
        begin = self._order[before - 1][0] if before else time_ms
        end = self._order[after][0] if after < len(self._order) else time_ms
        return quarters_between(
            begin if time_ms - begin <= longest else time_ms, end if end - time_ms <= longest else time_ms
        )

    def _states(self, start: int) -> Iterator[StateInterval]:
        """Intervals that may meet a quarter."""
        place = max(bisect_right(self._order, (start, "")) - 1, 0)
        while place + 1 < len(self._order) and self._order[place][0] < start + QUARTER_MS:
            (begin, event_id), (end, _) = self._order[place : place + 2]
            interval = interval_of(self._events[event_id], begin, end, self._rules)
            if interval is not None:
                yield interval
            place += 1

    def _refold(self, starts: Iterable[int]) -> dict[int, AgentQuarter | None]:
        changed: dict[int, AgentQuarter | None] = {}
        for start in sorted(starts):
            sessions = self._by_quarter.get(start)
            if sessions is not None and not sessions:
                del self._by_quarter[start]
            quarter = fold_quarter(self.agent, start, (sessions or {}).values(), self._states(start))
            unknown = self._loaded and start not in self._quarters
            if unknown or quarter != self._quarters.get(start):
                changed[start] = quarter
            self._quarters[start] = quarter
        return changed


def interval_of(event: AgentStateChanged, begin: int, end: int, rules: Rules) -> StateInterval | None:
    """The state from an event to the next; None for offline, and for one whose end was lost."""
    if event.state == "offline" or end - begin > rules.agent_state_max_ms:
        return None
    return StateInterval(event.state, event.team or "", begin, end)


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
