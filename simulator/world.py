"""The state of a running simulation: open contacts, the lines of the queues and their agents."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.events import MODELS, ContactEvent
from simulator.clock import Clock
from simulator.contact import Contact, Leg
from simulator.shape import QueueShape, Shape
from simulator.truth import Truth

SOURCE = "simulator"


@dataclass(slots=True, eq=False)
class QueueLine:
    """A queue with those who wait in it, first come first served, and its agents."""

    shape: QueueShape
    waiting: deque[Leg] = field(default_factory=deque)
    jobs: deque[Callable[[int], None]] = field(default_factory=deque)  # outbound calls, when nobody waits
    free: list[int] = field(default_factory=list)
    busy: int = 0

    @property
    def name(self) -> str:
        """Name of the queue."""
        return self.shape.name

    def agent_name(self, agent: int) -> str:
        """Name of an agent."""
        return f"{self.name}-{agent:02d}"


@dataclass(slots=True, eq=False)
class World:
    """Everything of one simulation. `emitted` are events not yet handed out; silent worlds emit none."""

    shape: Shape
    rng: Random
    clock: Clock
    truth: Truth
    steps: "Steps"
    arrivals_until: int | None
    contacts_max: int | None
    silent: bool = False
    lines: dict[str, QueueLine] = field(default_factory=dict)
    open: dict[str, Contact] = field(default_factory=dict)
    started: int = 0
    emitted: list[ContactEvent] = field(default_factory=list)

    def accepts(self, at_ms: int) -> bool:
        """Do contacts still arrive at this time?"""
        in_time = self.arrivals_until is None or at_ms < self.arrivals_until
        return in_time and (self.contacts_max is None or self.started < self.contacts_max)

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return share > 0 and self.rng.random() < share

    def staff(self, line: QueueLine) -> int:
        """Agents on duty now: as many as the season asks for, less those who are away, at least one."""
        share = self.shape.season.at(self.clock.now)
        for away in line.shape.away:
            if away.from_ms <= self.clock.now < away.to_ms:
                share *= away.present
        return max(1, math.ceil(line.shape.agents * share))

    def has_agent(self, line: QueueLine) -> bool:
        """Is an agent of this queue free and on duty?"""
        return bool(line.free) and line.busy < self.staff(line)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps that lead back to earlier ones, in files of their own: a transfer enters a queue again."""

    enter_queue: Callable[[World, QueueLine, Contact, int], None]
    serve: Callable[[World, QueueLine], None]
    arrive: Callable[[World, QueueLine, int], None]


def emit(world: World, contact: Contact, leg: int, name: str, number: int = 0, **fields: Any) -> None:
    """Emit an event that happens now. Its id says what it is, so that every run gives the same ids."""
    if world.silent:
        return
    suffix = f"-{number}" if number else ""
    model: Any = MODELS[f"contact_{name}"]
    event: ContactEvent = model(
        event_id=f"{name}-{leg}{suffix}",
        contact_id=contact.contact_id,
        leg=leg,
        occurred_at=world.clock.now,
        source=SOURCE,
        channel=contact.channel,
        **fields,
    )
    world.emitted.append(event)


def settle(world: World, contact: Contact) -> None:
    """One thing less can still happen to a contact; after the last its totals are final."""
    contact.outstanding -= 1
    if contact.outstanding == 0:
        del world.open[contact.contact_id]
        world.truth.contact(contact)
