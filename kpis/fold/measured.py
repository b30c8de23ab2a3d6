"""What a source measured itself and says with the end of a leg: it comes before what the times say."""

from typing import Literal, TypeAlias

from schemas.events import ContactAbandoned, ContactRejected, ContactResolved, ContactTransferred

Measuring: TypeAlias = ContactTransferred | ContactAbandoned | ContactResolved
Terminal: TypeAlias = Measuring | ContactRejected
TERMINALS = frozenset((ContactTransferred, ContactAbandoned, ContactResolved, ContactRejected))
Measure = Literal["wait_ms", "talk_ms", "hold_ms", "acw_ms"]


def measuring(end: Terminal | None) -> Measuring | None:
    """The end of the leg if it can carry measures: nobody measures a contact that was turned away."""
    return None if end is None or type(end) is ContactRejected else end  # type: ignore[return-value]


def own(end: Terminal | None, name: Measure) -> int | None:
    """A measure of the event that ended the leg; None if the source gives none."""
    value: int | None = None if end is None else getattr(end, name, None)
    return value


def shows_an_agent(end: Terminal | None) -> bool:
    """Is there measured talk or hold? Somebody talked then, and unless a bot ended it, that was an agent.

    Measured after-contact work shows none: some systems make an agent wrap up who only rang.
    """
    if type(end) is ContactResolved and end.by == "bot":
        return False
    return bool(own(end, "talk_ms") or own(end, "hold_ms"))
