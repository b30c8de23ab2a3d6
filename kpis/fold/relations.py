"""What withdraws a contact, closes it, and links it to others: statements of which the latest counts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from kpis.facts import ContactFact
from schemas.events import ContactClosed, ContactEvent, ContactLinked, ContactReopened, ContactWithdrawn

S = TypeVar("S", ContactLinked, ContactWithdrawn)


def latest(statements: Iterable[S]) -> S | None:
    """The statement with the greatest (occurred_at, event_id)."""
    return max(statements, key=lambda event: (event.occurred_at, event.event_id), default=None)


def is_withdrawn(events: Sequence[ContactEvent]) -> bool:
    """Merged, spam, a test, deleted: does the contact count nowhere, by the latest statement?"""
    statement = latest(event for event in events if type(event) is ContactWithdrawn)
    return statement is not None and not statement.undone


def closed_at(events: Sequence[ContactEvent]) -> int | None:
    """When the contact was last closed for good; None where it was opened again later."""
    closed = max((e.occurred_at for e in events if type(e) is ContactClosed), default=None)
    if closed is None or any(type(e) is ContactReopened and e.occurred_at > closed for e in events):
        return None
    return closed


def linked_to(events: Sequence[ContactEvent], kind: str) -> str | None:
    """The contact that the latest link of a kind names."""
    link = latest(event for event in events if type(event) is ContactLinked and event.kind == kind)
    return link.to_contact_id if link else None


def with_links(contact: ContactFact, events: Sequence[ContactEvent]) -> ContactFact:
    """The contact with what its links and closings say; what its start says of a parent comes first."""
    return replace(
        contact,
        parent_contact_id=contact.parent_contact_id or linked_to(events, "parent"),
        closed_at=closed_at(events),
        consult_of=linked_to(events, "consult"),
        forwarded_from=linked_to(events, "forwarded"),
    )
