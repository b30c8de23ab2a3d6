"""Sessions and states of one agent while they become known, in any order."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from kpis.agents.quarters import fold_quarter, quarters_between
from kpis.agents.sessions import AgentSession, SessionKey, StateInterval, interval_of
from kpis.facts import AgentQuarter
from kpis.rules import Rules
from schemas.events import AgentStateChanged
from schemas.time_units import QUARTER_MS


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
        """Every quarter-hour in which the agent did anything, in order of time."""
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
