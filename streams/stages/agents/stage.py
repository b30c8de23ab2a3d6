"""The agent stage: sessions and states of each agent, to what they did in each quarter-hour."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kpis.agents.history import AgentHistory
from kpis.agents.sessions import AgentSession
from kpis.facts import AgentQuarter
from kpis.rules import Rules
from schemas.checked import made
from schemas.codec import decode
from schemas.events import AgentStateChanged
from schemas.topics import AGENT_ACTIVITY, AGENT_QUARTERS
from streams.kafka.record import Record, RefusedRecord
from streams.stages.documents import compact
from streams.stages.stage import UNREADABLE, BatchWork, Output, alien
from streams.stages.yielding import yielding
from streams.state.histories import Histories
from streams.state.table import Table

# As many agents as a very large centre has; a long history is dear to read again.
KEPT_AGENTS = 50_000
Strength = tuple[int, bytes]  # of two items with one key the greater counts


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """What the contact stage told of an agent and a leg."""

    agent: str
    key: tuple[str, int]
    version: int
    session: AgentSession | None

    @property
    def strength(self) -> Strength:
        """By version alone: of what was told of one session the later counts."""
        return self.version, b""

    def put(self, history: AgentHistory) -> dict[int, AgentQuarter | None]:
        """Take it into the history; the quarter-hours that it changes, None for those now empty."""
        return history.put_session(self.key, self.session)


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """A state event of an agent."""

    agent: str
    event: AgentStateChanged
    canonical: bytes

    @property
    def strength(self) -> Strength:
        """As of contact events: the greater revision, of equals the greater bytes."""
        return self.event.revision, self.canonical

    def put(self, history: AgentHistory) -> dict[int, AgentQuarter | None]:
        """Take it into the history; the quarter-hours that it changes, None for those now empty."""
        return history.put_state(self.event.event_id, self.event)


AgentUpdate = SessionUpdate | StateUpdate
Strongest = dict[bytes, tuple[AgentUpdate, bytes]]


def read_update(key: bytes | None, value: bytes | None) -> AgentUpdate:
    """A record of agent-activity. Raises ValueError (DecodeError is one), TypeError, KeyError."""
    agent, kind, *rest = orjson.loads(key or b"")
    if kind == "state":
        event = decode(value or b"")
        if not isinstance(event, AgentStateChanged) or [event.agent, event.event_id] != [agent, *rest]:
            raise ValueError("the key is not that of the event")
        return StateUpdate(agent, event, value or b"")
    contact_id, leg = rest
    document = orjson.loads(value or b"")
    version, fields = document["version"], document["session"]
    session = None if fields is None else made(AgentSession, fields)
    typed = isinstance(agent, str) and isinstance(contact_id, str) and isinstance(leg, int)
    if kind != "session" or not isinstance(version, int) or not typed:
        raise TypeError("not the types it must have")
    if session is not None and (session.agent, session.contact_id, session.leg) != (agent, contact_id, leg):
        raise ValueError("the key is not that of the session")
    return SessionUpdate(agent, (contact_id, leg), version, session)


def read_agent(agent: str, rules: Rules, items: Iterable[tuple[bytes, bytes]]) -> AgentHistory:
    """An agent from the table."""
    found = [read_update(key, value) for key, value in items]
    history = AgentHistory(agent, rules)
    history.load(
        ((item.key, item.session) for item in found if isinstance(item, SessionUpdate) and item.session),
        ((item.event.event_id, item.event) for item in found if isinstance(item, StateUpdate)),
    )
    return history


def quarter_bytes(quarter: AgentQuarter | None) -> bytes:
    """Table value of a quarter-hour."""
    return compact(orjson.dumps(quarter))


def quarter_key(agent: str, start: int) -> bytes:
    """Table and changelog key of a quarter-hour; an agent is in one partition."""
    return compact(orjson.dumps([agent, start]))


class Agents:
    """Its state is sessions and state events, its totals are the quarter-hours."""

    topic = AGENT_ACTIVITY

    def __init__(self, state: Table, totals: Table, rules: Rules) -> None:
        self.state = state
        self.totals = totals
        self.rules = rules
        self.histories = Histories(state, lambda agent, items: read_agent(agent, rules, items), KEPT_AGENTS)

    def apply(self, partition: int, records: Sequence[Record], version: int) -> BatchWork:
        """Items into histories, and the quarter-hours they change."""
        self.histories.trim()
        strongest, refused = self.strongest(partition, records)
        totals: dict[bytes, bytes] = {}
        for key, (item, _) in strongest.items():
            for start, quarter in item.put(self.histories.get(item.agent, partition)).items():
                totals[quarter_key(item.agent, start)] = quarter_bytes(quarter)
            self.histories.add(item.agent, key)
        return BatchWork(
            states=[(key, value) for key, (_, value) in strongest.items()],
            totals=totals,
            refused=refused,
            applied=len(strongest),
        )

    def strongest(self, partition: int, records: Sequence[Record]) -> tuple[Strongest, list[RefusedRecord]]:
        """Of each key the item that counts, where it is stronger than what is known; and what is not ours."""
        found: Strongest = {}
        refused: list[RefusedRecord] = []
        for record in records:
            key, value = record.key or b"", record.value or b""
            try:
                item = read_update(key, value)
            except UNREADABLE as error:
                refused.append(alien(self.topic, record, error))
                continue
            rival = found[key][0] if key in found else self.known(key, partition)
            if rival is None or item.strength > rival.strength:
                found[key] = item, value
        return found, refused

    def known(self, key: bytes, partition: int) -> AgentUpdate | None:
        """What the table has under a key."""
        value = self.state.get(key, partition)
        return None if value is None else read_update(key, value)

    async def recount(self, partition: int) -> dict[bytes, bytes]:
        """All quarter-hours of a partition from its agents."""
        return {
            quarter_key(agent, quarter.window_start): quarter_bytes(quarter)
            async for agent in yielding(self.histories.in_partition(partition), at_once=1)  # of months each
            for quarter in self.histories.read(agent).quarters()
        }

    def published_total(self, total: bytes | None, before: bytes | None) -> bytes:
        """What an agent did in a quarter-hour as JSON; null where it was nothing."""
        return total or b"null"

    def total_output(self, partition: int, key: bytes, value: bytes, version: int) -> Output:
        """What an agent did in a quarter-hour, or that it was nothing."""
        agent, start = orjson.loads(key)
        document = {
            "agent": agent,
            "window_start": start,
            "version": version,
            "quarter": orjson.Fragment(value),
        }
        return AGENT_QUARTERS, partition, (key, orjson.dumps(document))

    def repair(self, partition: int, touched: Any, everything: bool, version: int) -> Iterator[Output]:
        """Nothing: all that this stage tells are totals."""
        return iter(())

    def forget(self) -> None:
        """Agents are read from the table again."""
        self.histories.forget()
