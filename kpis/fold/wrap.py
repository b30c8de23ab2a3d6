"""After-contact work: whose wrap-up counts, and how long the agent was at it."""

from collections.abc import Sequence

from kpis.fold.flags import Flags
from kpis.fold.measured import Terminal, own
from schemas.events import ContactAbandoned, ContactAnswered, ContactEvent, ContactWrapped


def counted_wraps(events: Sequence[ContactEvent], flags: Flags) -> list[ContactWrapped]:
    """Wrap-ups of the leg, but not of an agent other than those who answered: that one only rang."""
    wraps = [event for event in events if type(event) is ContactWrapped]
    if not wraps:
        return wraps
    answered_by = {event.agent for event in events if type(event) is ContactAnswered}
    if not answered_by or None in answered_by:
        return wraps
    counted = [event for event in wraps if event.agent is None or event.agent in answered_by]
    if len(counted) < len(wraps):
        flags.note("WRAP_IGNORED")
    return counted


def is_evidence(end: Terminal | None) -> bool:
    """Does a wrap-up show that an agent had the customer? Not where that one left before anyone answered."""
    return type(end) is not ContactAbandoned or end.place == "hold"


def after_contact_work(
    wrapped: ContactWrapped | None, end: Terminal | None, flags: Flags
) -> tuple[int, int, int | None]:
    """(acw_ms, known, when the agent was done with the leg); a source's own measure comes first."""
    if end is None:
        return 0, int(wrapped is not None), None
    acw_ms, done_at = 0, end.occurred_at
    if wrapped is not None and wrapped.occurred_at >= end.occurred_at:
        acw_ms, done_at = wrapped.occurred_at - end.occurred_at, wrapped.occurred_at
    elif wrapped is not None:
        flags.note("WRAP_BEFORE_END")
    measured = own(end, "acw_ms")
    if measured is not None:
        return measured, 1, done_at
    return acw_ms, int(wrapped is not None), done_at
