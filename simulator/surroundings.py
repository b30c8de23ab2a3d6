"""What the contact centre says beside its contacts: agents who log on, pause and log off, and a heartbeat.

Derived from the contact events and a random stream of its own, so a seed gives the same contacts with and
without it. A shift is planned from the season: as many agents of a queue as are on duty, the first of them,
change at full hours. The simulation lets all agents take turns, at night as well; one who takes a contact
while off duty or at a break is called in: available from that moment, and off again once done. So nobody ever
talks while logged off. Busy is no state: that an agent has a contact in hand is in the contact events.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

from schemas.events import AgentStateChanged, ContactEvent, Event, SourceHeartbeat
from schemas.time_units import HOUR_MS, MINUTE_MS
from simulator.shape import QueueShape, Shape
from simulator.world import SOURCE

BREAK_EVERY_MS = 2 * HOUR_MS  # in the mean; asked every minute
BREAK_MS = (5 * MINUTE_MS, 20 * MINUTE_MS)


@dataclass(slots=True, eq=False)
class Agent:
    """An agent as the log-on system sees one. `leg` is the contact and leg in hand."""

    name: str
    team: str
    place: int  # among the agents of the queue, from 1
    wraps_up: bool  # stays with a leg after its end, until it is wrapped
    state: str = "offline"
    back_at: int = 0
    leg: tuple[str, int] | None = None


@dataclass(slots=True, eq=False)
class Floor:
    """All agents, and those among them who have a leg in hand."""

    shape: Shape
    rng: Random
    agents: dict[str, Agent] = field(default_factory=dict)
    working: dict[tuple[str, int], Agent] = field(default_factory=dict)
    emitted: list[Event] = field(default_factory=list)

    def on_duty(self, queue: QueueShape, at_ms: int) -> int:
        """How many agents of a queue the plan wants now: as many as the simulation lets work at a time."""
        return max(1, math.ceil(queue.agents * self.shape.season.at(at_ms)))

    def change(self, agent: Agent, state: str, at_ms: int) -> None:
        """Tell that an agent changed state, if so."""
        if agent.state == state:
            return
        agent.state = state
        fields = {"agent": agent.name, "team": agent.team, "state": state}
        self.emitted.append(
            AgentStateChanged.model_validate(
                {"event_id": f"{state}-{at_ms}", "occurred_at": at_ms, "source": SOURCE, **fields}
            )
        )

    def minute(self, at_ms: int) -> None:
        """What the plan and the clock bring: shifts, breaks, the heartbeat."""
        on_duty = {queue.name: self.on_duty(queue, at_ms) for queue in self.shape.queues}
        for agent in self.agents.values():
            if agent.leg is not None:
                continue
            if agent.place > on_duty[agent.team]:
                self.change(agent, "offline", at_ms)
            elif agent.state == "offline" or (agent.state == "break" and at_ms >= agent.back_at):
                self.change(agent, "available", at_ms)
            elif agent.state == "available" and self.rng.random() < MINUTE_MS / BREAK_EVERY_MS:
                agent.back_at = at_ms + self.rng.randint(*BREAK_MS)
                self.change(agent, "break", at_ms)
        beat = {"event_id": f"beat-{at_ms}", "source": SOURCE, "occurred_at": at_ms}
        self.emitted.append(SourceHeartbeat.model_validate(beat))

    def follow(self, event: ContactEvent) -> None:
        """Who takes a contact is there. Who is done with it goes at the next minute, if off duty."""
        leg = (event.contact_id, event.leg)
        if event.type == "contact_answered" and event.agent in self.agents:
            agent = self.agents[event.agent]
            if agent.leg is not None:  # after-contact work of no length is none
                self.working.pop(agent.leg, None)
            agent.leg, self.working[leg] = leg, agent
            self.change(agent, "available", event.occurred_at)
            return
        ended = event.type in ("contact_transferred", "contact_abandoned", "contact_resolved")
        worker = self.working.get(leg)
        if worker and (event.type == "contact_wrapped" or (ended and not worker.wraps_up)):
            self.working.pop(leg).leg = None

    def close(self, at_ms: int) -> None:
        """Everybody goes home."""
        for agent in self.agents.values():
            self.change(agent, "offline", at_ms)

    def take(self) -> Iterator[Event]:
        """What was emitted and not yet handed out."""
        yield from self.emitted
        self.emitted.clear()


def staff_of(queue: QueueShape) -> list[Agent]:
    """The agents of a queue, named as in its contacts."""
    wraps_up = queue.handling.after_work is not None
    return [
        Agent(f"{queue.name}-{place:02d}", queue.name, place, wraps_up)
        for place in range(1, queue.agents + 1)
    ]


def with_surroundings(
    events: Iterable[ContactEvent], shape: Shape, seed: int, start_ms: int, closes: bool = True
) -> Iterator[Event]:
    """The contact events and, between them, those of agents and source, in order of time.

    A minute is over when all contact events of its instant are emitted, so a heartbeat promises no less than
    it says, and no agent changes state twice at one instant. Ends with the contact events; then all agents
    log off, unless the simulation was cut and not `closes`.
    """
    floor = Floor(shape, Random(f"surroundings {seed}"))
    floor.agents = {agent.name: agent for queue in shape.queues for agent in staff_of(queue)}
    now = next_minute = start_ms
    for event in events:
        now = event.occurred_at
        while next_minute < now:
            floor.minute(next_minute)
            next_minute += MINUTE_MS
        floor.follow(event)
        yield from floor.take()
        yield event
    if closes:
        floor.close(now)
    yield from floor.take()
