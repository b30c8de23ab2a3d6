"""What must be remembered between two lines. It is data alone, so that it can be kept beside a position."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Leg:
    """One stint of a call in a queue. `end` are the fields of the event that ended it."""

    number: int
    queue: str
    entered_ms: int
    connected_ms: int | None = None
    agent: str = ""
    ended_ms: int | None = None
    end_line: str = ""  # the event of the log that ended it, "" while open
    end: dict[str, Any] | None = None
    end_revision: int = 0
    offers: list[tuple[str, str, int]] = field(default_factory=list)  # member, line, when
    dumped_ms: int | None = None  # when an agent hung up while the announcement was played to him
    channel: str = ""  # the unique id of the member's channel
    left_ms: int | None = None  # answered, but the call entered another queue before its end was logged

    @property
    def waits(self) -> bool:
        """Nobody has answered it, and it has not ended."""
        return self.end is None and self.connected_ms is None

    @property
    def talks(self) -> bool:
        """Answered, and no line has ended it yet."""
        return self.connected_ms is not None and not self.end_line


@dataclass
class Call:
    """A call: the fields of its start, which later lines may complete, and its legs."""

    last_ms: int
    started: dict[str, Any] = field(default_factory=dict)
    started_revision: int = 0
    legs: list[Leg] = field(default_factory=list)
    reason: str | None = None
    outcome: str | None = None

    @property
    def open(self) -> bool:
        """Some leg of it has not ended."""
        return any(leg.end is None for leg in self.legs)


@dataclass
class Agent:
    """A member: in which queues, paused or not, what was said last, and what it did last."""

    queues: dict[str, bool] = field(default_factory=dict)
    said: str = ""
    said_ms: int = 0
    reason: str = ""
    logged_in: bool | None = None
    acw_since_ms: int | None = None
    last_call: str = ""
    last_leg: int = 0
    last_end_ms: int | None = None


@dataclass
class State:
    """All of it. `pruned_ms` is when old calls were forgotten last."""

    calls: dict[str, Call] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)  # of members who answered -> the call
    aliases: dict[str, str] = field(default_factory=dict)  # ids that lines have -> the call that they are of
    last_ms: int = 0
    pruned_ms: int = 0
