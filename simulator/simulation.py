"""A seeded contact centre that also knows, from its own bookkeeping, what the KPIs must come to.

Everything is decided by one seeded generator, so the same arguments give the same events and the same truth.
"""

from collections.abc import Iterator
from functools import partial
from random import Random

from schemas.events import ContactEvent, Event
from schemas.time_units import HOUR_MS
from simulator.arriving import any_customer, arrive, keep_arriving
from simulator.clock import Clock
from simulator.default import DEFAULT_SHAPE
from simulator.queueing import call_out, enter_queue, serve
from simulator.season import FLAT
from simulator.shape import Shape
from simulator.surroundings import with_surroundings
from simulator.truth import Truth
from simulator.world import QueueLine, Steps, World

STEPS = Steps(enter_queue, serve, arrive)
START_MS = 1_767_571_200_000  # Monday 2026-01-05T00:00Z


def staff_changes(world: World, line: QueueLine) -> None:
    """Every full hour other numbers of agents are on duty, who may take those who wait."""

    def change() -> None:
        serve(world, line)
        world.clock.after(HOUR_MS, change, essential=False)

    world.clock.after(HOUR_MS - world.clock.now % HOUR_MS, change, essential=False)


def keep_calling_out(world: World, line: QueueLine) -> None:
    """Outbound calls of a queue's own, as a Poisson process that follows the season."""
    if line.shape.outbound_per_hour <= 0:
        return
    gap_mean = HOUR_MS / line.shape.outbound_per_hour

    def job() -> None:
        if not world.accepts(world.clock.now):
            return
        if world.rng.random() < world.shape.season.at(world.clock.now):
            call_out(world, line, any_customer(world), None)
        plan()

    def plan() -> None:
        world.clock.after(round(world.rng.expovariate(1 / gap_mean)), job)

    plan()


def build(world: World) -> None:
    """Open the queues and plan the first arrivals."""
    for shape in world.shape.queues:
        line = QueueLine(shape, free=list(range(1, shape.agents + 1)))
        world.lines[shape.name] = line
        keep_arriving(world, line)
        keep_calling_out(world, line)
        if world.shape.season is not FLAT:
            staff_changes(world, line)
        for away in shape.away:
            world.clock.after(away.to_ms - world.clock.now, partial(serve, world, line), essential=False)


class Simulation:
    """One run of a contact centre. Without `hours` and `contacts` it never ends.

    Contacts arrive for `hours`, or until there are `contacts` of them; then those still in the house are
    served to their end, so that every contact has one. With `cut` the run stops after `hours` instead, and
    contacts that are not over stay open, in the events as in the truth.
    """

    def __init__(
        self,
        seed: int = 0,
        shape: Shape = DEFAULT_SHAPE,
        start_ms: int = START_MS,
        hours: float | None = None,
        contacts: int | None = None,
        cut: bool = False,
        silent: bool = False,
    ) -> None:
        if cut and hours is None:
            raise ValueError("a simulation can be cut only after a number of hours")
        end_ms = None if hours is None else start_ms + round(hours * HOUR_MS)
        self.truth = Truth(shape.thresholds)
        self._seed, self._shape, self._start_ms = seed, shape, start_ms
        self._cut_at = end_ms if cut else None
        self._world = World(shape, Random(seed), Clock(start_ms), self.truth, STEPS, end_ms, contacts, silent)
        build(self._world)

    @property
    def now_ms(self) -> int:
        """Simulated time."""
        return self._world.clock.now

    @property
    def contacts(self) -> int:
        """Contacts started so far."""
        return self._world.started

    def everything(self) -> Iterator[Event]:
        """The contact events, and between them those of the agents and the heartbeat of the source."""
        closes = self._cut_at is None
        return with_surroundings(self.events(), self._shape, self._seed, self._start_ms, closes)

    def events(self) -> Iterator[ContactEvent]:
        """The contact events in order of time. The truth is complete when they are exhausted."""
        world = self._world
        while (at_ms := world.clock.next_at()) is not None and (
            self._cut_at is None or at_ms <= self._cut_at
        ):
            world.clock.step()
            if world.emitted:
                yield from world.emitted
                world.emitted.clear()
        for contact in world.open.values():
            for leg in contact.wrapping:
                self.truth.finished(leg, 0)
            self.truth.contact(contact)
        world.open.clear()

    def run(self) -> Truth:
        """Run to the end for the truth alone."""
        for _ in self.events():
            pass
        return self.truth
