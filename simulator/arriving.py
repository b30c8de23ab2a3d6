"""Contacts arrive: a Poisson process whose rate follows the season, and customers who come again."""

from schemas.customer_key import customer_key
from schemas.time_units import HOUR_MS
from simulator.contact import Contact, Leg
from simulator.ending import abandon, resolve
from simulator.world import QueueLine, World, emit

# Simulated customers are nobody, so their keys need no secret: the same in every run.
SECRET = b"simulated"


def new_contact(
    world: World, line: QueueLine, customer: int, direction: str = "inbound", callback_of: str | None = None
) -> Contact:
    """A contact begins now."""
    world.started += 1
    contact = Contact(
        contact_id=f"sim-{world.clock.now}-{world.started}",
        channel=line.shape.channel,
        direction=direction,
        entry=line.shape.before.entry if direction == "inbound" else "direct",
        customer=customer,
        started_at=world.clock.now,
    )
    world.open[contact.contact_id] = contact
    key = customer_key(f"customer {customer}", SECRET)
    emit(
        world,
        contact,
        1,
        "started",
        direction=direction,
        entry=contact.entry,
        customer_key=key,
        reason=line.name,
        callback_of=callback_of,
    )
    return contact


def arrive(world: World, line: QueueLine, customer: int) -> None:
    """An inbound contact arrives at the IVR, the bot or straight at the queue."""
    contact = new_contact(world, line, customer)
    before = line.shape.before
    if before.time is None:
        world.steps.enter_queue(world, line, contact, 1)
    else:
        world.clock.after(before.time.draw(world.rng), lambda: leave_front(world, line, contact))


def leave_front(world: World, line: QueueLine, contact: Contact) -> None:
    """The IVR or the bot is done: the customer has gone, is served, or goes on into the queue."""
    before = line.shape.before
    fate = world.rng.random()
    leg = Leg(contact, 1, "")
    if fate < before.lost:
        contact.ivr_abandoned = 1
        abandon(world, leg, "ivr")
    elif fate < before.lost + before.contained:
        contact.contained = 1
        resolve(world, leg, "resolved", "bot")
    else:
        world.steps.enter_queue(world, line, contact, 1)


def any_customer(world: World) -> int:
    """A customer at random: few of them come often, since the smaller of two draws is taken."""
    size = world.shape.customers
    return min(world.rng.randrange(size), world.rng.randrange(size))


def keep_arriving(world: World, line: QueueLine) -> None:
    """Plan the arrivals of a queue, one after the other, by thinning a process of the peak rate."""
    if line.shape.per_hour <= 0:
        return
    gap_mean = HOUR_MS / line.shape.per_hour

    def candidate() -> None:
        if not world.accepts(world.clock.now):
            return
        if world.rng.random() < world.shape.season.at(world.clock.now):
            arrive(world, line, any_customer(world))
        plan()

    def plan() -> None:
        world.clock.after(round(world.rng.expovariate(1 / gap_mean)), candidate)

    plan()
