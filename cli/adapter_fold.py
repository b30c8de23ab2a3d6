"""What `ringback adapter try` says of a mapping beside its events: their fold, and sums of it."""

from collections.abc import Iterable, Iterator

from adapters.kit.contract import owner
from kpis.facts import ContactFact, Facts, LegFact
from kpis.fold.events import fold
from schemas.events import AgentStateChanged, ContactEvent, Event, SourceHeartbeat

CONTACTS_MAX = 20  # that are told one by one


def facts_of(events: Iterable[Event]) -> dict[str, Facts]:
    """The facts of each contact that events tell of."""
    found: dict[str, list[ContactEvent]] = {}
    for event in events:
        if not isinstance(event, AgentStateChanged | SourceHeartbeat):
            found.setdefault(owner(event), []).append(event)
    return {contact_id: fold(of_contact) for contact_id, of_contact in sorted(found.items())}


def totals(facts: Iterable[Facts]) -> dict[str, int]:
    """Sums over contacts and legs, to be held against what a vendor reports."""
    contacts = [each for each in facts if each.contact is not None]
    legs = [leg for each in contacts for leg in each.legs]
    return {
        "contacts": len(contacts),
        "offered": sum(leg.offered for leg in legs),
        "answered": sum(leg.answered for leg in legs),
        "abandoned": sum(leg.abandoned for leg in legs),
        "handled": sum(leg.handled for leg in legs),
        "transfers": sum(leg.transferred_out for leg in legs),
        "talk_ms": sum(leg.talk_ms or 0 for leg in legs),
        "queue_ms": sum(leg.queue_ms or 0 for leg in legs),
    }


TOTALS = tuple(totals(()))  # their names


def fold_lines(facts: dict[str, Facts]) -> Iterator[str]:
    """A line for each contact, and one for each of its legs."""
    for contact_id, each in [*facts.items()][:CONTACTS_MAX]:
        yield f"fold {contact_id}: {contact_words(each.contact)}"
        yield from (f"     leg {leg.leg}: {leg_words(leg)}" for leg in each.legs)
        for survey in each.surveys:
            yield f"     {survey.kind} {survey.score} of {survey.scale_min} to {survey.scale_max}"
    if len(facts) > CONTACTS_MAX:
        yield f"fold ... and {len(facts) - CONTACTS_MAX:,} more contacts"


def contact_words(contact: ContactFact | None) -> str:
    """A contact in a few words."""
    if contact is None:
        return "counts nowhere"
    end = f"{contact.end_type} {contact.end_detail} by {contact.end_by}" if contact.ended_at else "open"
    flags = f", flags {' '.join(contact.flags)}" if contact.flags else ""
    return f"{contact.channel}, {contact.direction}, {end}{flags}"


def leg_words(leg: LegFact) -> str:
    """A leg in a few words; null is what is not known."""
    given: dict[str, str | int | None] = {"queue": leg.queue or None, "agent": leg.agent or None}
    given |= {"wait_ms": leg.queue_ms, "talk_ms": leg.talk_ms, "hold_ms": leg.hold_ms, "acw_ms": leg.acw_ms}
    word = "answered" if leg.answered else "handled" if leg.handled else leg.end_type or "waiting"
    shown = (f"{name} {'null' if value is None else value}" for name, value in given.items())
    return f"{word}, {', '.join(shown)}"
