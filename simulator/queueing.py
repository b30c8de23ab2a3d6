"""Waiting in a queue until an agent is free, patience ends or the contact flows elsewhere."""

from schemas.time_units import MINUTE_MS, SECOND_MS
from simulator.arriving import new_contact
from simulator.contact import Contact, Leg
from simulator.ending import abandon, close, close_by_transfer
from simulator.handling import answer, release_agent, take_agent
from simulator.shape import Duration
from simulator.world import QueueLine, World, emit

OVERFLOWS_MAX = 1  # a contact that has flowed on once stays where it is
RING = Duration(12 * SECOND_MS, 0.5)
RING_ANSWERED = 0.8
CALLBACK_AFTER = Duration(20 * MINUTE_MS, 0.5)


def enter_queue(world: World, line: QueueLine, contact: Contact, number: int) -> None:
    """A contact joins the queue with its leg of this number."""
    leg = Leg(contact, number, line.name, queued_at=world.clock.now)
    contact.entry_queue = contact.entry_queue or line.name
    emit(world, contact, number, "queued", queue=line.name)
    world.truth.queued(leg, world.clock.now)
    line.waiting.append(leg)
    serve(world, line)
    if not leg.gone:
        plan_exit(world, line, leg)


def plan_exit(world: World, line: QueueLine, leg: Leg) -> None:
    """Decide when and how the leg will leave the queue if no agent takes it first."""
    waiting = line.shape.waiting
    exits: list[tuple[int, str]] = []
    if waiting.patience is not None:
        exits.append((waiting.patience.draw(world.rng), "abandon"))
    if waiting.overflow_to and leg.contact.overflows < OVERFLOWS_MAX:
        exits.append((waiting.overflow_after_ms, "queue_flow"))
    if world.chance(waiting.callback):
        exits.append((waiting.offer_after_ms, "callback"))
    if world.chance(waiting.voicemail):
        exits.append((waiting.offer_after_ms, "voicemail"))
    if exits:
        delay_ms, kind = min(exits)
        world.clock.after(delay_ms, lambda: leave(world, line, leg, kind))


def leave(world: World, line: QueueLine, leg: Leg, kind: str) -> None:
    """The leg leaves the queue without an agent, unless one has taken it meanwhile."""
    if leg.gone:
        return
    assert leg.queued_at is not None
    leg.gone = True
    contact, wait_ms = leg.contact, world.clock.now - leg.queued_at
    if kind == "abandon":
        world.truth.abandoned(leg, wait_ms)
        abandon(world, leg, "queue")
        return
    world.truth.flowed_out(leg, wait_ms)
    if kind == "queue_flow":
        target = world.lines[line.shape.waiting.overflow_to]
        contact.overflows += 1
        contact.last_leg += 1
        emit(world, contact, leg.number, "transferred", kind=kind, to_queue=target.name)
        enter_queue(world, target, contact, contact.last_leg)
        return
    close_by_transfer(world, leg, kind)
    if kind == "callback":
        after_ms = CALLBACK_AFTER.draw(world.rng)
        world.clock.after(after_ms, lambda: call_out(world, line, contact.customer, contact.contact_id))


def serve(world: World, line: QueueLine) -> None:
    """Free agents take those who wait longest, and make outbound calls when nobody waits."""
    while line.waiting and (line.waiting[0].gone or world.has_agent(line)):
        leg = line.waiting.popleft()
        if not leg.gone:
            answer(world, line, leg, take_agent(line))
    while line.jobs and world.has_agent(line):
        line.jobs.popleft()(take_agent(line))


def call_out(world: World, line: QueueLine, customer: int, callback_of: str | None) -> None:
    """An outbound call is to be made as soon as an agent has time for it."""
    line.jobs.append(lambda agent: dial(world, line, customer, callback_of, agent))
    serve(world, line)


def dial(world: World, line: QueueLine, customer: int, callback_of: str | None, agent: int) -> None:
    """An agent dials; the customer picks up or does not."""
    contact = new_contact(world, line, customer, "outbound", callback_of)
    leg = Leg(contact, 1, "")

    def ringing_over() -> None:
        if world.chance(RING_ANSWERED):
            answer(world, line, leg, agent)
            return
        emit(world, contact, 1, "abandoned", place="ring", by="system")
        close(world, contact)
        release_agent(world, line, agent)

    world.clock.after(RING.draw(world.rng), ringing_over)
