"""What a line gives, ready to be sent: the same whether it was read in this process or in another one."""

from collections.abc import Iterator

from adapters.kit.outcomes import Accepted, LineOutcome, Skipped
from adapters.sending.records import OutgoingRecord, event_record
from schemas.codec import encode
from schemas.dead_letter import DeadLetter

# The records of a line's events, their canonical bytes as value; or why there are none.
Ready = tuple[OutgoingRecord, ...] | DeadLetter | Skipped
# The same in few bytes, for the way from one process to another.
Packed = tuple[tuple[str, bytes, bytes], ...] | DeadLetter | Skipped


def ready(outcome: LineOutcome) -> Ready:
    """Encode the events of a line."""
    if isinstance(outcome, Accepted):
        return tuple([event_record(event, encode) for event in outcome.events])
    return outcome


def packed(outcomes: Iterator[LineOutcome]) -> list[Packed]:
    """Outcomes as they are sent to another process."""
    found: list[Packed] = []
    for outcome in outcomes:
        given = ready(outcome)
        if isinstance(given, tuple):
            found.append(tuple([(record.topic, record.key, record.value) for record in given]))
        else:
            found.append(given)
    return found


def unpacked(given: Packed) -> Ready:
    """What was packed."""
    if isinstance(given, tuple):
        return tuple([OutgoingRecord(*record) for record in given])
    return given
