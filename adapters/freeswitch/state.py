"""What must be remembered between two events of mod_callcenter; data alone."""

from dataclasses import dataclass, field


@dataclass
class Leg:
    """One stay of a member in a queue. `host` is the FreeSWITCH that has it."""

    number: int
    queue: str
    host: str
    entered_ms: int | None = None
    bridged_ms: int | None = None
    unbridged_ms: int | None = None
    agent: str = ""
    rang_ms: int | None = None  # when the telephone of the agent who answered began to ring
    ended: bool = False
    passed_on: bool = False  # the call entered another queue before the end of this leg was told
    not_bridged: bool = False  # an agent picked up, but the two were never joined
    holds: int = 0
    held: bool = False
    ringing: dict[str, int] = field(default_factory=dict)
    offers: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Session:
    """A call: the channel of the caller, and its stays in queues by the id of the member."""

    last_ms: int
    started: bool = False
    legs: dict[str, Leg] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Some leg of it has not ended."""
        return any(not leg.ended for leg in self.legs.values())


@dataclass
class State:
    """All of it: `members` and `agents` lead from ids in events to sessions, `cores` tell of a restart."""

    sessions: dict[str, Session] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    agents: dict[str, tuple[str, str]] = field(default_factory=dict)
    cores: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    last_ms: int = 0
    pruned_ms: int = 0
