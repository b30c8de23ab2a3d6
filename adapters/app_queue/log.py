"""The log as far as it was read: what is remembered, and the events that the line at hand gives."""

from dataclasses import dataclass, field
from typing import Any

from adapters.app_queue.options import Options
from adapters.app_queue.state import Call, Leg, State
from adapters.kit.outcomes import build
from schemas.customer_key import customer_key
from schemas.events import Event

SOURCE = "asterisk"
CONTACT = "asterisk-{}"
# Asterisk logs one moment in two lines with the clock of each: they are a second apart at most.
SAME_MS = 1000


@dataclass
class Log:
    """State and settings of one PBX's log.

    `revision` is added to that of events: a finer source has more and corrects the coarser one. `exact`: the
    times are, so the whole seconds that lines repeat are told to nobody.
    """

    secret: bytes
    options: Options = field(default_factory=Options)
    state: State = field(default_factory=State)
    source: str = SOURCE
    revision: int = 0
    exact: bool = False
    events: list[Event] = field(default_factory=list)

    def take(self) -> tuple[Event, ...]:
        """The events since this was called last."""
        events, self.events = tuple(self.events), []
        return events

    def tell(
        self, call: str, leg: int, name: str, type_: str, time_ms: int, revision: int = 0, **more: Any
    ) -> None:
        """Add an event of a contact. Raises InvalidInput where a field is none."""
        envelope = {
            "event_id": name,
            "contact_id": CONTACT.format(call),
            "leg": leg,
            "occurred_at": time_ms,
            "source": self.source,
            "revision": self.revision + revision,
        }
        if self.exact:
            more = {name: value for name, value in more.items() if name not in ("wait_ms", "talk_ms")}
        self.events.append(build(f"contact_{type_}", envelope | more))

    def key(self, number: str) -> str | None:
        """The customer behind a number; an agent's own extension is no customer."""
        number = number.strip()
        return None if not number or number in self.options.aliases else customer_key(number, self.secret)


def start(log: Log, call_id: str, time_ms: int, **fields: Any) -> Call:
    """The call is seen for the first time: its contact begins."""
    call = log.state.calls[call_id] = Call(last_ms=time_ms, started={"time_ms": time_ms} | fields)
    log.tell(call_id, 1, "started", "started", time_ms, **fields)
    return call


def restart(log: Log, call_id: str, call: Call, **fields: Any) -> None:
    """More is known of how the call began: its start is said again."""
    call.started |= fields
    call.started_revision += 1
    known = {name: value for name, value in call.started.items() if name != "time_ms"}
    begun_ms = call.started["time_ms"]
    log.tell(call_id, 1, "started", "started", begun_ms, call.started_revision, **known)


def end_leg(log: Log, call_id: str, leg: Leg, line: str, type_: str, time_ms: int, **fields: Any) -> None:
    """The leg has ended; said again with a greater revision where an end was told before."""
    if leg.end is not None:
        leg.end_revision += 1
    known = {name: value for name, value in fields.items() if value is not None}
    leg.end, leg.end_line, leg.ended_ms = {"type_": type_} | known, line, time_ms
    log.tell(call_id, leg.number, f"{leg.number}-end", type_, time_ms, leg.end_revision, **known)
    if leg.agent:
        agent = log.state.agents.get(leg.agent)
        if agent is not None:
            agent.last_call, agent.last_leg, agent.last_end_ms = call_id, leg.number, time_ms


def amend_end(log: Log, call_id: str, leg: Leg, **fields: Any) -> None:
    """More is known of the end of a leg."""
    if leg.end is None or leg.ended_ms is None:
        return
    known = {name: value for name, value in leg.end.items() if name != "type_"} | fields
    end_leg(log, call_id, leg, leg.end_line, leg.end["type_"], leg.ended_ms, **known)
