"""How contacts end."""

from simulator.contact import Contact, Leg
from simulator.world import World, emit, settle


def abandon(world: World, leg: Leg, place: str, by: str = "customer") -> None:
    """The contact ends without being resolved."""
    emit(world, leg.contact, leg.number, "abandoned", place=place, by=by)
    close(world, leg.contact)


def resolve(world: World, leg: Leg, outcome: str, by: str, reason: str | None = None) -> None:
    """The contact ends by a resolution, for good or until it is reopened."""
    contact, now = leg.contact, world.clock.now
    leg.resolved = 1
    level1 = not (outcome == "unresolved" and world.chance(0.3))
    emit(
        world,
        contact,
        leg.number,
        "resolved",
        outcome=outcome,
        by=by,
        level1_resolvable=level1,
        reason=reason,
    )
    if contact.first_resolved_at is None:
        contact.first_resolved_at = now
    contact.solved = outcome != "unresolved"
    close(world, contact)


def close_by_transfer(world: World, leg: Leg, kind: str) -> None:
    """The contact leaves the house: to an outside number, to a callback or to voicemail."""
    emit(world, leg.contact, leg.number, "transferred", kind=kind)
    close(world, leg.contact)


def close(world: World, contact: Contact) -> None:
    """The contact is over now."""
    contact.ended_at = world.clock.now
    settle(world, contact)
