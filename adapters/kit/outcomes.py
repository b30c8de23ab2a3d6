"""What every adapter gives: per line of a file its events, or why it has none.

Nothing is lost on the way: a line that is no event becomes a DeadLetter, which the import sends to the
dead-letter topic, and one that is left out on purpose becomes a Skipped, which is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.codec import explain
from schemas.dead_letter import PAYLOAD_MAX_BYTES, DeadLetter
from schemas.events import MODELS, Event
from schemas.shape import shape

DETAIL_MAX_CHARS = 1_000
Made = TypeVar("Made")


class WrongFile(ValueError):
    """The file is not what the command was told it is; nothing of it was sent."""


class InvalidInput(ValueError):
    """A line that makes no event. `reason` is a stable short code for counting, the text says more.

    The text quotes nothing of the line but by schemas.shape.quoted: it may be a person who stands there.
    `item` counts from 0 in a list whose other items are taken; None where all of it is refused.
    """

    item: int | None = None

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def at(self, item: int) -> "InvalidInput":
        """The same of one item of a list."""
        found = InvalidInput(self.reason, f"item {item}: {self.detail}")
        found.item = item
        return found


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line and the events it tells of. `bytes_read` is how far into the file (as stored) it is."""

    position: int
    events: tuple[Event, ...]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is understood and by its nature no contact, such as a PHANTOM call."""

    position: int
    reason: str


LineOutcome = Accepted | DeadLetter | Skipped


def reject(
    origin: str, position: int, refused: InvalidInput, payload: bytes, keep: bool = False, item: str = ""
) -> DeadLetter:
    """The dead letter of a line: one line of detail, and the shape of its payload.

    Nobody can say where in a line that was not understood a person is named. `keep` is for those who asked
    for the payload itself (`--keep-payloads`); it is bounded. `item` says which part of the line it is: it
    stands before the payload, since letters of one line with equal payloads would be one letter.
    """
    said = f"item {item}: ".encode() if item else b""
    kept = said + payload[:PAYLOAD_MAX_BYTES] if keep else shape(payload, item)
    detail = " ".join(refused.detail.split())[:DETAIL_MAX_CHARS]
    return DeadLetter(origin, position, refused.reason, detail, kept)


def build(type_: str, fields: dict[str, Any]) -> Event:
    """The validated event with these fields. Raises InvalidInput with what is wrong with each of them."""
    try:
        return MODELS[type_].model_validate(fields)
    except ValidationError as error:
        raise InvalidInput("invalid_event", f"{type_}: {explain(error, type_)}") from None


def attempt(make: Callable[..., Made], *args: Any) -> Made | InvalidInput:
    """What is made, or why it is refused: for items of a list, of which one takes no other along."""
    try:
        return make(*args)
    except InvalidInput as refused:
        return refused
