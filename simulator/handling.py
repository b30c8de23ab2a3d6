"""An agent at work on a leg: talk, holds, transfer or resolution, after-contact work."""

from simulator.afterwards import plan_afterwards
from simulator.contact import Leg
from simulator.ending import abandon, close_by_transfer, resolve
from simulator.world import QueueLine, World, emit, settle

LEGS_MAX = 5  # after so many the agent solves it, whoever it is
HOLDS_MAX = 3


def take_agent(line: QueueLine) -> int:
    """The agent who has been free longest."""
    line.busy += 1
    return line.free.pop(0)


def release_agent(world: World, line: QueueLine, agent: int) -> None:
    """The agent is free again and takes who waits longest."""
    line.busy -= 1
    line.free.append(agent)
    world.steps.serve(world, line)


def answer(world: World, line: QueueLine, leg: Leg, agent: int) -> None:
    """An agent takes the leg."""
    contact, now = leg.contact, world.clock.now
    leg.agent, leg.queue, leg.gone = agent, line.name, True
    contact.handled, contact.owner_queue = 1, line.name
    contact.entry_queue = contact.entry_queue or line.name
    contact.outstanding += 1  # until the agent has finished the leg
    emit(
        world, contact, leg.number, "answered", agent=line.agent_name(agent), team=line.name, queue=line.name
    )
    if leg.queued_at is not None:
        world.truth.answered(leg, now - leg.queued_at)
    handling = line.shape.handling
    talk_ms = max(1, handling.talk.draw(world.rng))
    holds = 0
    while holds < HOLDS_MAX and world.chance(handling.held):
        holds += 1
    cuts = sorted(world.rng.randint(0, talk_ms) for _ in range(holds))
    pieces = [end - start for start, end in zip([0, *cuts], [*cuts, talk_ms], strict=True)]
    talk(world, line, leg, pieces)


def talk(world: World, line: QueueLine, leg: Leg, pieces: list[int]) -> None:
    """Talk for the first of the pieces; between two of them the customer is on hold."""

    def pause() -> None:
        leg.talk_ms += pieces[0]
        if len(pieces) == 1:
            conclude(world, line, leg)
        else:
            hold(world, line, leg, pieces[1:])

    world.clock.after(pieces[0], pause)


def hold(world: World, line: QueueLine, leg: Leg, pieces: list[int]) -> None:
    """Put the customer on hold; some hang up before it is over."""
    number = len(leg.holds_ms) + 1
    hold_ms = max(1, line.shape.handling.hold.draw(world.rng))
    hangs_up = world.chance(line.shape.handling.hold_hang_up)
    emit(world, leg.contact, leg.number, "held", number, hold_no=number)

    def over() -> None:
        leg.holds_ms.append(hold_ms)
        if hangs_up:
            abandon(world, leg, "hold")
            wrap(world, line, leg)
            return
        emit(world, leg.contact, leg.number, "resumed", number, hold_no=number)
        talk(world, line, leg, pieces)

    world.clock.after(hold_ms, over)


def conclude(world: World, line: QueueLine, leg: Leg) -> None:
    """The conversation is over: resolved, or transferred to a queue, to an agent or outside."""
    handling, fate = line.shape.handling, world.rng.random()
    may_transfer = leg.contact.direction == "inbound" and leg.number < LEGS_MAX
    if may_transfer and handling.transfer_to and fate < handling.cold + handling.warm:
        target = world.lines[world.rng.choice(handling.transfer_to)]
        wants_agent = fate >= handling.cold
        transfer(world, leg, target, "warm" if wants_agent and world.has_agent(target) else "cold")
    elif may_transfer and fate < handling.cold + handling.warm + handling.external:
        leg.transferred_out = 1
        leg.contact.transfers += 1
        close_by_transfer(world, leg, "external")
    else:
        outcome = "unresolved" if world.chance(line.shape.afterwards.unresolved) else "resolved"
        if outcome == "resolved" and world.chance(0.2):
            outcome = "unknown"
        plan_afterwards(world, line, leg.contact)
        resolve(world, leg, outcome, "agent", reason=line.name)
    wrap(world, line, leg)


def transfer(world: World, leg: Leg, target: QueueLine, kind: str) -> None:
    """Hand the contact over: cold into the target's queue, warm straight to one of its agents."""
    contact = leg.contact
    leg.transferred_out = 1
    contact.transfers += 1
    contact.last_leg = number = leg.number + 1
    if kind == "cold":
        emit(world, contact, leg.number, "transferred", kind=kind, to_queue=target.name)
        world.steps.enter_queue(world, target, contact, number)
        return
    agent = take_agent(target)
    emit(world, contact, leg.number, "transferred", kind=kind, to_agent=target.agent_name(agent))
    answer(world, target, Leg(contact, number, target.name), agent)


def wrap(world: World, line: QueueLine, leg: Leg) -> None:
    """After-contact work, then the agent is free."""
    leg.ended_at = world.clock.now
    work = line.shape.handling.after_work
    acw_ms = 0 if work is None else work.draw(world.rng)

    def done() -> None:
        if acw_ms:
            emit(world, leg.contact, leg.number, "wrapped", agent=line.agent_name(leg.agent))
            leg.contact.wrapping.remove(leg)
        world.truth.finished(leg, acw_ms)
        settle(world, leg.contact)
        release_agent(world, line, leg.agent)

    if acw_ms:
        leg.contact.wrapping.append(leg)
        world.clock.after(acw_ms, done)
    else:
        done()
