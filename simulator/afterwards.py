"""What comes after a contact that an agent resolved: surveys, a reopening, the same customer again."""

from schemas.time_units import HOUR_MS
from simulator.contact import Contact
from simulator.shape import Duration
from simulator.world import QueueLine, World, emit, settle

SURVEY_AFTER = Duration(HOUR_MS)
NPS_WEIGHTS = (2, 1, 1, 1, 2, 4, 5, 10, 18, 16, 20)  # of 0 to 10
CSAT_WEIGHTS = (6, 6, 13, 35, 40)  # of 1 to 5
CES_WEIGHTS = (3, 4, 6, 10, 20, 30, 27)  # of 1 to 7


def plan_afterwards(world: World, line: QueueLine, contact: Contact) -> None:
    """Decide what will follow; to be called before the contact is resolved."""
    afterwards = line.shape.afterwards
    if world.chance(afterwards.surveyed):
        contact.outstanding += 1
        world.clock.after(1 + SURVEY_AFTER.draw(world.rng), lambda: answer_survey(world, contact))
    if world.chance(afterwards.reopened):
        contact.outstanding += 1
        delay_ms = 1 + afterwards.reopen_after.draw(world.rng)
        world.clock.after(delay_ms, lambda: reopen(world, line, contact))
    if world.chance(afterwards.repeated):
        plan_repeat(world, line, contact.customer)


def plan_repeat(world: World, line: QueueLine, customer: int) -> None:
    """The customer will come again, mostly about the same thing; not after contacts have ceased to arrive."""
    delay_ms = line.shape.afterwards.repeat_after.draw(world.rng)
    if not world.accepts(world.clock.now + delay_ms):
        return
    inbound = [other for other in world.lines.values() if other.shape.per_hour > 0]
    target = world.rng.choice(inbound) if line not in inbound or world.chance(0.3) else line

    def again() -> None:
        if world.accepts(world.clock.now):
            world.steps.arrive(world, target, customer)

    world.clock.after(delay_ms, again)


def reopen(world: World, line: QueueLine, contact: Contact) -> None:
    """The customer writes again on a contact that was closed: its next leg begins."""
    contact.reopens += 1
    contact.last_leg += 1
    contact.ended_at, contact.solved = None, False
    contact.waits_since = world.clock.now
    emit(world, contact, contact.last_leg, "reopened")
    world.steps.enter_queue(world, line, contact, contact.last_leg)


def answer_survey(world: World, contact: Contact, number: int = 1) -> None:
    """A survey is answered, by a few customers a second time with other scores, of which the last counts."""
    choose = world.rng.choices
    scores = (
        ("csat", choose(range(1, 6), CSAT_WEIGHTS)[0], 1, 5),
        ("nps", choose(range(11), NPS_WEIGHTS)[0], 0, 10),
        ("ces", choose(range(1, 8), CES_WEIGHTS)[0], 1, 7),
        ("fcr", int(world.chance(0.75)), 0, 1),
    )
    for place, (kind, score, low, high) in enumerate(scores):
        if place == 0 or world.chance(0.5):
            scale = {"score": score, "scale_min": low, "scale_max": high}
            emit(world, contact, contact.last_leg, "surveyed", 10 * number + place, kind=kind, **scale)
    if number == 1 and world.chance(0.03):
        again_ms = 1 + SURVEY_AFTER.draw(world.rng)
        world.clock.after(again_ms, lambda: answer_survey(world, contact, 2))
    else:
        settle(world, contact)
